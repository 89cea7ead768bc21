"""One stream in the plane: its continuous sequence and clock, whoever feeds it, and the players that get it.

Three numberings meet here:

* the publisher's own sequence numbers and timestamps, which start anew whenever it comes back;
* the stream's, which go on without a break over every publisher (``place`` maps the one to the other);
* each player's, which starts in the lower half of the sequence space and goes on without a break over every mute. It must start
  low: a player that missed the first packets of a sequence that wraps at once would guess another SRTP rollover counter
  (RFC 3711 §3.3.1) and never decrypt anything.

Packets without sound (probes that are all padding) and packets that are withheld take no number of the stream: a player would see a
gap, and take it for loss.
"""

from __future__ import annotations

from collections import deque

from media.history import History
from media.loudest import Speaker
from media.plane import OPUS_TICKS_PER_MS, Tap
from media.player import Group, Player, Shape
from media.player_loss import PlayerLoss
from media.rtp import SEQUENCE_MODULUS, TIMESTAMP_MODULUS
from media.srtp import REPLAY_WINDOW

REORDER_WINDOW = REPLAY_WINDOW
"""Packets. One that is later than this is taken for a restart of the source (RFC 3550 A.1 calls the idea MAX_MISORDER). Not less
than SRTP lets through: one straggler must not move the numbers and the clock of a source that goes on."""
RESTART_JUMP = 3_000
"""Packets. A jump ahead of this size is taken for a restart of the source (RFC 3550 A.1, MAX_DROPOUT)."""
MAX_PASSED_OVER = 256
"""Packets without sound whose numbers are remembered; a source sends a few a minute."""

FOR_NOBODY = 0
"""Not a number of a stream: they begin with 1."""
DEFAULT_STEP = 20 * OPUS_TICKS_PER_MS
"""Timestamp units between two Opus packets of the usual 20 ms."""

_USED_MASK = (1 << REORDER_WINDOW) - 1


class Stream:
    """See the module."""

    __slots__ = (
        "_passed_over",
        "_source_first",
        "_source_highest",
        "_source_ssrc",
        "_timestamp_offset",
        "_used",
        "_withheld",
        "groups",
        "highest",
        "history",
        "last_arrival",
        "last_timestamp",
        "nack_players",
        "name",
        "packets",
        "player_loss",
        "publisher",
        "report_arrival",
        "report_timestamp",
        "speaker",
        "subscribed",
        "taps",
        "waiting",
    )

    def __init__(self, name: str) -> None:
        self.name = name
        self.publisher: int | None = None
        """The peer that feeds the stream, or the feed."""
        self.speaker: Speaker | None = None
        """Its place among the streams of which the loudest are forwarded; None = it is forwarded in any case."""
        self.groups: dict[Shape, Group] = {}
        """The players that get copies; no group is empty."""
        self.waiting: list[Player] = []
        """Those that get copies from the next packet on."""
        self.subscribed = 0
        """Players that belong to the stream, also those that are muted."""
        self.nack_players = 0
        """Those of them that may ask for lost packets."""
        self.taps: dict[int, Tap] = {}
        self.history = History()
        """Empty while no player may ask."""
        self.player_loss = PlayerLoss()
        self.packets = 0
        """Packets of the stream that were offered to the groups."""
        self.highest = 0
        """The stream's highest sequence number; counts on beyond 16 bits."""
        self.last_timestamp = 0
        """Timestamp of the packet ``highest``, in the stream's clock."""
        self.last_arrival: int | None = None
        """When ``highest`` came (epoch ms); None before the first packet."""
        self._used = 0
        """Bit n: the number ``highest - n`` has been given to a packet."""
        self._source_ssrc: int | None = None
        self._source_highest = 0
        """Counts on beyond 16 bits."""
        self._source_first = 0
        """The stream's number of the source's first packet."""
        self._passed_over: deque[int] = deque(maxlen=MAX_PASSED_OVER)
        """Numbers of the source, counted on, that have no counterpart in the stream; ascending."""
        self._withheld = False
        """The source's last packet was withheld."""
        self._timestamp_offset = 0
        self.report_timestamp: int | None = None
        """The stream's timestamp at ``report_arrival``, from the publisher's sender report; None before one came."""
        self.report_arrival = 0

    @property
    def empty(self) -> bool:
        """Nobody needs it: a stream without a publisher lives on while somebody waits for it, muted players included."""
        return self.publisher is None and not self.subscribed and not self.taps

    @property
    def left_out(self) -> bool:
        """It is not forwarded, because others of its group are louder."""
        return self.speaker is not None and not self.speaker.chosen

    def no_speaker(self) -> None:
        """Who feeds the stream from now on is judged anew."""
        if self.speaker is not None:
            self.speaker.leave()
            self.speaker = None

    # --- players

    @property
    def playing(self) -> int:
        """Players that get copies."""
        return sum(len(group.players) for group in self.groups.values())

    def subscribe(self, player: Player) -> None:
        self.subscribed += 1
        self.nack_players += player.nack
        self.waiting.append(player)

    def unsubscribe(self, player: Player) -> None:
        self.detach(player)
        self.subscribed -= 1
        self.nack_players -= player.nack
        if not self.nack_players:
            self.history.clear()

    def attach(self, player: Player, place: int) -> None:
        """Copies flow to it from the packet ``place`` on."""
        group = self.groups.get(player.shape)
        if group is None:
            group = self.groups[player.shape] = Group()
        player.begin(place, group)

    def detach(self, player: Player) -> None:
        """Takes the player out of the copying loop."""
        self.player_loss.forget(player)
        if player.attached:
            player.pause()
            if not player.group.players:
                del self.groups[player.shape]
        elif player in self.waiting:
            self.waiting.remove(player)

    # --- numbers and time

    def source_changed(self) -> None:
        """The next packet comes from another publisher, or the same one anew."""
        self._source_ssrc = None
        self.report_timestamp = None

    def place(self, ssrc: int, sequence: int, timestamp: int, now: int) -> tuple[int, int, bool]:
        """Maps a packet of the source into the stream.

        Returns its sequence number and timestamp (0 … 2^32-1) in the stream and whether the source (re)started with it, in
        which case the marker belongs on it (RFC 3551 §4.1). A number not above the old ``highest`` is a packet that comes late,
        ``FOR_NOBODY`` one that has no place. No number is given twice.
        """
        if ssrc == self._source_ssrc:
            step = (sequence - self._source_highest) & 0xFFFF
            if step < RESTART_JUMP:
                if not step:
                    return FOR_NOBODY, 0, False
                resumed, self._withheld = self._withheld, False
                self._source_highest += step
                self._advance(step)
                self.last_timestamp = (timestamp + self._timestamp_offset) % TIMESTAMP_MODULUS
                self.last_arrival = now
                return self.highest, self.last_timestamp, resumed
            late = SEQUENCE_MODULUS - step
            if late <= REORDER_WINDOW:
                return self._late_place(late), (timestamp + self._timestamp_offset) % TIMESTAMP_MODULUS, False
        self._restart(ssrc, sequence, timestamp, now)
        return self.highest, self.last_timestamp, True

    def pass_over(self, ssrc: int, sequence: int) -> None:
        """A packet of the source without sound: it takes no number."""
        step = (sequence - self._source_highest) & 0xFFFF
        if ssrc != self._source_ssrc or not 0 < step < RESTART_JUMP:
            # Of a source that has not begun; or late, when its number has been kept free already.
            return
        self._source_highest += step
        if step > 1:
            # What is missing before it may come yet.
            self.highest += step - 1
            self._used = (self._used << (step - 1)) & _USED_MASK
        self._passed_over.append(self._source_highest)
        while self._passed_over[0] < self._source_highest - REORDER_WINDOW:
            self._passed_over.popleft()

    def withhold(self, ssrc: int, sequence: int) -> None:
        """A packet of the source that no player is to get: numbers go on behind it without a gap, the clock runs on."""
        if ssrc != self._source_ssrc:
            return
        step = (sequence - self._source_highest) & 0xFFFF
        if RESTART_JUMP <= step < SEQUENCE_MODULUS - REORDER_WINDOW:
            self.source_changed()
        elif step < RESTART_JUMP:
            self._source_highest += step
            self._passed_over.clear()
            # Packets from before that come when copies flow again would get numbers that are taken.
            self._source_first = self.highest + 1
            self._withheld = True

    def _advance(self, step: int) -> None:
        self.highest += step
        self._used = (self._used << step | 1) & _USED_MASK

    def _late_place(self, late: int) -> int:
        """The number of a packet that comes ``late`` numbers of the source behind its highest, or ``FOR_NOBODY``."""
        number = self._source_highest - late
        place = self.highest - late + sum(other > number for other in self._passed_over)
        bit = 1 << (self.highest - place)
        # Overtaken by the source's first packet, its number would be one that the source before has used. A number that has been
        # given must not be given to other bytes in any case: SRTP's keystream is that of the number (RFC 3711 §9.1).
        if place < self._source_first or self._used & bit or number in self._passed_over:
            return FOR_NOBODY
        self._used |= bit
        return place

    def _restart(self, ssrc: int, sequence: int, timestamp: int, now: int) -> None:
        """The new source goes on one number behind the old one, and as much later as time has passed."""
        self._source_ssrc = ssrc
        self._source_highest = sequence
        self._passed_over.clear()
        self._withheld = False
        self._advance(1)
        self._source_first = self.highest
        if self.last_arrival is None:
            self.last_timestamp = timestamp
        else:
            passed = max(DEFAULT_STEP, (now - self.last_arrival) * OPUS_TICKS_PER_MS)
            self.last_timestamp = (self.last_timestamp + passed) % TIMESTAMP_MODULUS
        self.last_arrival = now
        self._timestamp_offset = self.last_timestamp - timestamp
        self.report_timestamp = None

    def sender_report(self, ssrc: int, timestamp: int, arrival: int) -> None:
        """Takes over the publisher's mapping of time: its RTP ``timestamp`` belongs to our time ``arrival`` (epoch ms)."""
        if ssrc == self._source_ssrc:
            self.report_timestamp = (timestamp + self._timestamp_offset) % TIMESTAMP_MODULUS
            self.report_arrival = arrival

    def timestamp_at(self, now: int) -> int | None:
        """The stream's timestamp at ``now``, for sender reports; None before the first packet.

        Follows the publisher's own sender reports, and until the first one the arrival of its packets.
        """
        if self.last_arrival is None:
            return None
        if self.report_timestamp is not None:
            return (self.report_timestamp + (now - self.report_arrival) * OPUS_TICKS_PER_MS) % TIMESTAMP_MODULUS
        return (self.last_timestamp + (now - self.last_arrival) * OPUS_TICKS_PER_MS) % TIMESTAMP_MODULUS
