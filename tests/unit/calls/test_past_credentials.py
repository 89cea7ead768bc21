"""Addresses that were good once."""

from __future__ import annotations

from calls.addresses import MediaCredential
from calls.past_credentials import PastCredentials


def test_the_newest_are_known_again_and_the_oldest_forgotten() -> None:
    past = PastCredentials(2)
    one, two, three = (MediaCredential(1, number, "key") for number in (1, 2, 3))
    past.add(one, "amy")
    past.add(two, "amy")
    past.add(one, "amy")
    past.add(three, "amy")
    assert (one, "amy") in past and (three, "amy") in past
    assert (two, "amy") not in past


def test_everything_about_it_must_be_the_same() -> None:
    past = PastCredentials(2)
    past.add(MediaCredential(1, 2, "key"), "amy")
    for other, user_id in [
        (MediaCredential(1, 2, "key"), "bob"),
        (MediaCredential(1, 2, "kex"), "amy"),
        (MediaCredential(1, 3, "key"), "amy"),
        (MediaCredential(4, 2, "key"), "amy"),
    ]:
        assert (other, user_id) not in past
