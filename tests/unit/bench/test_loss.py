"""What bench/loss measures with: speech found again in a recording, and an answer that leads through the network alone."""

from __future__ import annotations

import random

import pytest

from bench.loss.alignment import occurrences
from bench.loss.peers import address_of, at_port

LENGTH = 16_000

ANSWER = (
    "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"
    "a=candidate:1 1 udp 2122194687 192.0.2.5 40001 typ host generation 0\r\n"
    "a=candidate:2 1 tcp 1518214911 192.0.2.5 9 typ host tcptype active\r\n"
    "a=candidate:3 1 udp 1686052607 203.0.113.5 40002 typ srflx raddr 0.0.0.0 rport 0\r\n"
    "a=sendonly\r\n"
)


def syllables(seed: int) -> list[int]:
    """A second of noise whose loudness changes every 50 ms."""
    dice = random.Random(seed)
    loudness = [dice.randrange(200, 8_000) for _ in range(LENGTH // 800)]
    return [dice.randint(-level, level) for level in loudness for _ in range(800)]


@pytest.mark.parametrize("before", [0, 1, 4_321, 15_999])
def test_each_whole_loop_is_found_to_the_sample_though_some_of_it_is_lost_and_stretched(before: int) -> None:
    signal = syllables(1)
    damaged = signal[:6_000] + [0] * 960 + signal[6_960:]
    recording = signal[LENGTH - before :] + damaged + [0] * 333 + signal + signal[:5_000]
    assert occurrences(signal, recording)[-2:] == [before, before + LENGTH + 333]


def test_what_is_shorter_than_one_loop_has_none() -> None:
    assert occurrences(syllables(1), syllables(1)[:-400]) == []


def test_the_only_way_in_an_answer_is_the_networks() -> None:
    assert address_of(ANSWER) == ("192.0.2.5", 40001)
    changed = at_port(ANSWER, 5000)
    assert address_of(changed) == ("127.0.0.1", 5000)
    assert changed.count("a=candidate") == 1
    assert changed.endswith("a=sendonly\r\n")
