"""Which streams of a big room are forwarded: the k loudest, by the levels that the publishers put on their packets (RFC 6464).

N people who all hear each other make N·(N-1) copies of each 20 ms; with the k loudest alone it is N·k. The plane knows no rooms: it
is given the name of a group with each stream, and k.

Every packet costs its stream one update of its own level. The group is looked at every ``DECISION_MS``, and at once when somebody who is
not heard has become louder than somebody who is, this no more often than that either. A change of speakers must not be heard as such:

* a stream that is not in anybody's way stays on, silent or not: there is no change without a louder one;
* a louder one has to be so by ``MARGIN_DB``, over its smoothed level, so that two who talk at the same level do not take turns;
* one that was just chosen stays for ``HOLD_MS`` unless it has fallen silent, so that a cough does not cut a word;
* numbers and clock of the stream go on (``Stream.withhold``): its players see a pause, not a loss.
"""

from __future__ import annotations

from operator import attrgetter

DECISION_MS = 200
MARGIN_DB = 6.0
HOLD_MS = 1_500
SILENCE_DB = 60.0
"""Below this loudness (0 … 127, that is -67 dBov) a stream is taken for silent: a quiet room has it, a voice does not."""
STALE_MS = 600
"""A stream without packets for so long is silent: longer than the 400 ms between the packets of a pause (DTX)."""
_RISE, _FALL = 1 / 3, 1 / 64
"""Shares by which a packet moves the level: a beginning counts within three packets, a pause of 200 ms between two words hardly at all."""


class Speaker:
    """One stream's place in its group."""

    __slots__ = ("_group", "chosen", "heard", "loudness", "since")

    def __init__(self, group: SpeakerGroup, now: int) -> None:
        self._group = group
        self.chosen = False
        """Its packets are forwarded."""
        self.since = now
        """When ``chosen`` last changed (epoch ms)."""
        self.loudness = 0.0
        """Smoothed, 0 (silence) … 127 (loudest)."""
        self.heard = now
        """When its last packet with a level came (epoch ms)."""

    def arrived(self, level: int | None, now: int) -> bool:
        """A packet came with the level byte ``level`` (None = it has none). Returns whether it is to be forwarded."""
        if level is not None:
            loudness = 127 - (level & 0x7F)
            self.loudness += (loudness - self.loudness) * (_RISE if loudness > self.loudness else _FALL)
            self.heard = now
        if not self.chosen and self.loudness > self._group.to_beat:
            self._group.challenged(now)
        return self.chosen

    def leave(self) -> None:
        """The stream has no publisher any more; its place is free at once."""
        self._group.remove(self)


class SpeakerGroup:
    """Streams of which the loudest are forwarded."""

    __slots__ = ("_challenged", "_decided", "_members", "most", "to_beat")

    def __init__(self, most: int) -> None:
        self.most = most
        """How many are forwarded at one time (k)."""
        self.to_beat = -1.0
        """Loudness from which on one that is not chosen may take a place; below zero while places are free."""
        self._members: list[Speaker] = []
        self._decided = 0
        self._challenged = 0

    def __len__(self) -> int:
        return len(self._members)

    def join(self, now: int) -> Speaker:
        """A place for one more stream; chosen at once while there are free ones."""
        speaker = Speaker(self, now)
        self._members.append(speaker)
        self._choose(now)
        return speaker

    def remove(self, speaker: Speaker) -> None:
        self._members.remove(speaker)
        if speaker.chosen:
            self.to_beat = -1.0

    def decide(self, now: int) -> None:
        """Looks at the group if it is time to."""
        if now - self._decided >= DECISION_MS:
            self._choose(now)

    def challenged(self, now: int) -> None:
        """One that is not chosen has become louder than ``to_beat``: it does not wait for the next look, which would cost a syllable."""
        if now - self._challenged >= DECISION_MS:
            self._challenged = now
            self._choose(now)

    def _choose(self, now: int) -> None:
        self._decided = now
        for speaker in self._members:
            if now - speaker.heard > STALE_MS:
                speaker.loudness = 0.0
        chosen = sorted((speaker for speaker in self._members if speaker.chosen), key=attrgetter("loudness"))
        others = sorted((speaker for speaker in self._members if not speaker.chosen), key=attrgetter("loudness"), reverse=True)
        for speaker in chosen[: max(0, len(chosen) - self.most)]:
            # The group's k has become smaller.
            self._change(speaker, False, now)
        chosen = chosen[max(0, len(chosen) - self.most) :]
        free = self.most - len(chosen)
        for speaker in others[:free]:
            self._change(speaker, True, now)
        replaceable = [speaker for speaker in chosen if speaker.loudness < SILENCE_DB or now - speaker.since >= HOLD_MS]
        for quiet, loud in zip(replaceable, others[max(0, free) :], strict=False):
            if loud.loudness < max(quiet.loudness + MARGIN_DB, SILENCE_DB):
                break
            self._change(quiet, False, now)
            self._change(loud, True, now)
        self.to_beat = self._threshold()

    def _threshold(self) -> float:
        chosen = [speaker.loudness for speaker in self._members if speaker.chosen]
        if len(chosen) < self.most:
            return -1.0
        return max(min(chosen) + MARGIN_DB, SILENCE_DB)

    @staticmethod
    def _change(speaker: Speaker, chosen: bool, now: int) -> None:
        speaker.chosen = chosen
        speaker.since = now
