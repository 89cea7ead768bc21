"""Who of a group is chosen, and when that changes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from media.loudest import DECISION_MS, HOLD_MS, STALE_MS, Speaker, SpeakerGroup

QUIET, VOICE, SHOUT = 90, 35, 15
"""Level bytes (-dBov): a quiet room, somebody who talks, somebody louder."""


class Room:
    def __init__(self, people: int, most: int) -> None:
        self.now = 1_000
        self.group = SpeakerGroup(most)
        self.people = [self.group.join(self.now) for _ in range(people)]

    def pass_time(self, ms: int, **levels: int | None) -> None:
        """Everybody sends a packet each 20 ms: ``p0=VOICE`` for the first person, a quiet room for who is not named; None = nothing."""
        for _ in range(ms // 20):
            self.now += 20
            for number, speaker in enumerate(self.people):
                level = levels.get(f"p{number}", QUIET)
                if level is not None:
                    speaker.arrived(level, self.now)
            if self.now % 100 == 0:
                self.group.decide(self.now)

    @property
    def chosen(self) -> set[int]:
        return {number for number, speaker in enumerate(self.people) if speaker.chosen}


def test_everybody_is_heard_while_there_are_places() -> None:
    room = Room(3, 3)
    room.pass_time(2_000, p1=SHOUT)
    assert room.chosen == {0, 1, 2}


def test_who_begins_to_talk_takes_the_place_of_who_is_silent_within_three_packets() -> None:
    room = Room(5, 2)
    room.pass_time(5_000)
    assert room.chosen == {0, 1}
    room.pass_time(60, p4=VOICE)
    assert len(room.chosen) == 2 and 4 in room.chosen


def test_silence_alone_changes_nothing() -> None:
    room = Room(5, 2)
    room.pass_time(5_000, p0=VOICE, p3=VOICE)
    assert room.chosen == {0, 3}
    room.pass_time(60_000)
    assert room.chosen == {0, 3}


def test_two_of_the_same_loudness_do_not_take_turns() -> None:
    room = Room(3, 1)
    room.pass_time(3_000, p0=VOICE)
    for _ in range(20):
        room.pass_time(500, p0=VOICE, p1=VOICE - 4)
        room.pass_time(500, p0=VOICE - 4, p1=VOICE)
    assert room.chosen == {0}


def test_who_was_just_chosen_is_not_shouted_down_at_once() -> None:
    room = Room(3, 1)
    room.pass_time(3_000)
    room.pass_time(200, p1=VOICE)
    assert room.chosen == {1}
    room.pass_time(HOLD_MS - 500, p1=VOICE, p2=SHOUT)
    assert room.chosen == {1}
    room.pass_time(1_000, p1=VOICE, p2=SHOUT)
    assert room.chosen == {2}


def test_pauses_between_words_cost_nobody_the_place() -> None:
    room = Room(3, 1)
    room.pass_time(3_000, p0=VOICE)
    for _ in range(10):
        room.pass_time(700, p0=VOICE, p1=45)
        room.pass_time(200, p1=45)
    assert room.chosen == {0}


def test_who_sends_nothing_any_more_makes_room() -> None:
    room = Room(2, 1)
    room.pass_time(3_000, p0=SHOUT)
    room.pass_time(STALE_MS + 400, p0=None, p1=60)
    assert room.chosen == {1}


def test_the_place_of_who_leaves_is_free_at_once() -> None:
    room = Room(3, 1)
    room.pass_time(3_000, p0=SHOUT)
    room.people[0].leave()
    room.people.pop(0)
    room.pass_time(DECISION_MS, p0=VOICE)
    assert room.chosen == {0}


def test_a_packet_costs_no_look_at_the_group_while_nobody_is_louder() -> None:
    room = Room(50, 3)
    room.pass_time(3_000, p0=VOICE, p1=VOICE, p2=VOICE)
    assert all(speaker.loudness < room.group.to_beat for speaker in room.people[3:])
    decided = room.group._decided
    room.now += 10_000
    for speaker in room.people[3:]:
        speaker.arrived(QUIET, room.now)
    assert room.group._decided == decided
    for _ in range(3):
        room.people[3].arrived(0, room.now)
    assert room.group._decided == room.now


@given(
    st.integers(1, 6), st.lists(st.tuples(st.integers(0, 7), st.one_of(st.none(), st.integers(0, 255)), st.integers(0, 400)), max_size=200)
)
def test_never_more_than_k_are_chosen_and_never_fewer_than_there_are(most: int, packets: list[tuple[int, int | None, int]]) -> None:
    group, speakers, now = SpeakerGroup(most), list[Speaker](), 0
    for number, level, passed in packets:
        now += passed
        if number >= len(speakers):
            speakers.append(group.join(now))
            number = len(speakers) - 1
        assert speakers[number].arrived(level, now) == speakers[number].chosen
        group.decide(now)
        assert sum(speaker.chosen for speaker in speakers) == min(most, len(speakers))
