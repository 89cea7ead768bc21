"""AAC ↔ Opus: the tone that goes in comes out, at its time, at its pitch, without clicks."""

from __future__ import annotations

import array
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.bridge.aac_to_opus import AacFrame, AacToOpus
from media.bridge.jitter_buffer import Kind, Piece
from media.bridge.libopus import CodecError, OpusDecoder
from media.bridge.opus_packet import MAX_DURATION, OpusMalformed, channels, duration
from media.bridge.opus_to_aac import AAC_FRAME, OpusToAac
from media.bridge.pacer import OpusFrame
from tests.unit.media.bridge import sound


def frames(aac: list[bytes], *, rate: int, begin_ms: float = 0) -> list[AacFrame]:
    """As they come: evenly, on the publisher's timestamps."""
    times = [round(begin_ms + index * 1_024_000 / rate) for index in range(len(aac))]
    return [AacFrame(time & 0xFFFFFFFF, time, data) for time, data in zip(times, aac, strict=True)]


def convert(rate: int, config: bytes, aac: list[bytes], **options: float) -> list[OpusFrame]:
    return AacToOpus(48_000).convert([AacFrame(0, 0, config, is_config=True), *frames(aac, rate=rate, **options)])


# --- AAC → Opus


@pytest.mark.parametrize("rate", [48_000, 44_100, 16_000])
@pytest.mark.parametrize("stereo", [False, True])
def test_a_tone_of_every_kind_of_aac_is_heard_in_the_opus(rate: int, stereo: bool) -> None:
    tone = sound.tone(600, 2 * rate, rate=rate)
    packets = convert(rate, *sound.aac(*([tone, tone] if stereo else [tone]), rate=rate))
    assert [packet.timestamp for packet in packets] == [960 * index for index in range(len(packets))]
    assert len(packets) == pytest.approx(100, abs=8)
    assert {duration(packet.payload) for packet in packets} == {960}
    assert {channels(packet.payload) for packet in packets} == ({2} if stereo else {1})
    heard = sound.hear_opus(packet.payload for packet in packets)[24_000:72_000]
    assert sound.share(heard, 600) > 0.9
    assert sound.loudness(heard) == pytest.approx(0.28, abs=0.06)


SBR = {
    "nothing": "1308",
    "SBR, hierarchically": "2b098800",
    "SBR, behind the core": "130856e598",
    "SBR and PS, hierarchically": "eb098800",
    "SBR and PS, behind the core": "130856e59d4880",
}
"""What may be said of an AAC-LC core of 24 kHz, mono: ISO/IEC 14496-3 §1.6.5."""


@pytest.mark.parametrize("announced", SBR)
@pytest.mark.parametrize("version, profile", [(1, "HE-AAC"), (2, "HE-AACv2")])
def test_he_aac_plays_at_its_own_pitch_and_speed_whatever_its_configuration_announces(version: int, profile: str, announced: str) -> None:
    config, aac = bytes.fromhex(SBR[announced]), sound.he_aac(version)
    assert sound.aac_profile(config, aac) == profile
    packets = convert(24_000, config, aac)
    assert [packet.timestamp for packet in packets] == [960 * index for index in range(len(packets))]
    # As many as there is sound in the frames, 2048 samples of 48 kHz in each.
    assert len(packets) == pytest.approx(len(aac) * 2_048 / 960, abs=2)
    heard = sound.hear_opus(packet.payload for packet in packets)[12_000:60_000]
    assert sound.share(heard, 440) > 0.9
    assert sound.loudness(heard) == pytest.approx(0.28, abs=0.06)


def test_aac_whose_configuration_announces_sbr_that_never_comes_plays_at_its_own_pitch_and_speed() -> None:
    """The decoder gives twice the rate of the core all the same."""
    _, core = sound.aac(sound.tone(600, 48_000, rate=24_000), rate=24_000)
    packets = convert(24_000, bytes.fromhex(SBR["SBR, hierarchically"]), core)
    assert [packet.timestamp for packet in packets] == [960 * index for index in range(len(packets))]
    assert len(packets) == pytest.approx(100, abs=6)
    heard = sound.hear_opus(packet.payload for packet in packets)
    assert sound.share(heard[24_000:72_000], 600) > 0.9


def test_opus_for_players_that_lose_packets_carries_the_packet_before() -> None:
    # The pitch changes with each packet: concealment would go on with the one before.
    changing = array.array("f")
    for turn in range(50):
        changing.extend(sound.tone((400, 900)[turn % 2], 960, begin=960 * turn))
    packets = [packet.payload for packet in convert(48_000, *sound.aac(changing))]
    decoder, similar = OpusDecoder(1), []
    for index, packet in enumerate(packets[:-1]):
        if index < 10 or index % 6:
            decoder.decode(packet, 960)
            continue
        repaired = sound.samples_of(decoder.recover(packets[index + 1], 960))
        reference = sound.hear_opus(packets[: index + 1])[-960:]
        product = sum(a * b for a, b in zip(repaired, reference, strict=True))
        similar.append(product / (960 * sound.loudness(repaired) * sound.loudness(reference)))
    assert len(similar) >= 5 and sum(similar) / len(similar) > 0.8


def test_a_gap_in_time_is_one_in_the_opus_and_a_mere_jump_of_numbers_is_none() -> None:
    config, aac = sound.aac(sound.tone(600, 96_000))
    codec = AacToOpus(48_000)
    codec.convert([AacFrame(0, 0, config, is_config=True)])
    first = codec.convert(frames(aac[:30], rate=48_000))
    paused = codec.convert(frames(aac[30:60], rate=48_000, begin_ms=30 * 64 / 3 + 3_000))
    assert paused[0].timestamp - first[-1].timestamp == pytest.approx(960 + 3_000 * 48, abs=48)
    assert [packet.marker for packet in first + paused] == [True] + [False] * (len(first) - 1) + [True] + [False] * (len(paused) - 1)
    later = 60 * 64 / 3 + 3_000
    for jump in (3_600_000, 17, (1 << 32) - 100):
        moved = [AacFrame((frame.timestamp + jump) & 0xFFFFFFFF, frame.arrival, frame.data) for frame in frames(aac[60:80], rate=48_000)]
        moved = [AacFrame(frame.timestamp, frame.arrival + round(later), frame.data) for frame in moved]
        later += 20 * 64 / 3
        following = codec.convert(moved)
        assert following[0].timestamp - paused[-1].timestamp == 960 and not following[0].marker
        paused = following


def test_a_publisher_whose_timestamps_drift_from_its_samples_causes_no_jumps() -> None:
    config, aac = sound.aac(sound.tone(600, 480_000))
    # 0.5 % for ten seconds, then as much the other way: 50 ms in all, and a wrap on the way.
    late = [AacFrame(frame.timestamp, frame.arrival, frame.data) for frame in frames(aac * 3, rate=48_200, begin_ms=(1 << 32) - 5_000)]
    packets = AacToOpus(48_000).convert([AacFrame(0, 0, config, is_config=True), *late])
    assert [packet.timestamp for packet in packets] == [960 * index for index in range(len(packets))]


def test_a_gap_is_seen_in_spite_of_timestamps_that_have_drifted_the_other_way() -> None:
    config, aac = sound.aac(sound.tone(600, 480_000))
    codec = AacToOpus(48_000)
    drifted = frames(aac * 3, rate=48_160)
    first = codec.convert([AacFrame(0, 0, config, is_config=True), *drifted])
    begin = drifted[-1].timestamp + 64 / 3 + 150
    paused = codec.convert(frames(aac[:20], rate=48_000, begin_ms=begin))
    assert paused[0].timestamp - first[-1].timestamp == pytest.approx(960 + 150 * 48, abs=10 * 48) and paused[0].marker


def test_a_new_configuration_is_followed() -> None:
    codec = AacToOpus(48_000)
    config, aac = sound.aac(sound.tone(600, 48_000))
    other, changed = sound.aac(sound.tone(900, 22_050, rate=44_100), rate=44_100)
    first = codec.convert([AacFrame(0, 0, config, is_config=True), *frames(aac, rate=48_000)])
    second = codec.convert([AacFrame(0, 0, other, is_config=True), *frames(changed, rate=44_100)])
    third = codec.convert([AacFrame(0, 0, config, is_config=True), *frames(aac, rate=48_000)])
    packets = [*first, *second, *third]
    assert [packet.timestamp for packet in packets] == [960 * index for index in range(len(packets))]
    heard = sound.hear_opus(packet.payload for packet in packets)
    assert sound.share(heard[24_000:43_200], 600) > 0.9
    middle = len(first) * 960
    assert sound.share(heard[middle + 4_800 : middle + 14_400], 900) > 0.9


def test_broken_frames_are_left_out_and_too_many_in_a_row_are_given_up() -> None:
    config, aac = sound.aac(sound.tone(600, 96_000))
    codec = AacToOpus(48_000)
    codec.convert([AacFrame(0, 0, config, is_config=True)])
    data = [b"\xff" * 50 if index % 10 == 5 else frame for index, frame in enumerate(aac)]
    packets = codec.convert(frames(data, rate=48_000))
    assert codec.broken == len(data) // 10 and len(packets) > 70
    with pytest.raises(CodecError):
        codec.convert(frames([b"\xff" * 50] * 60, rate=48_000, begin_ms=2_000))


def test_a_configuration_of_nothing_is_refused() -> None:
    with pytest.raises(CodecError):
        AacToOpus(48_000).convert([AacFrame(0, 0, b"\xff\xff", is_config=True), AacFrame(0, 0, b"\x01\x02")] * 60)


@given(st.binary(max_size=20), st.lists(st.binary(max_size=60), max_size=5))
def test_anything_in_place_of_aac_raises_at_most_a_codec_error(config: bytes, data: list[bytes]) -> None:
    codec = AacToOpus(48_000)
    with contextlib.suppress(CodecError):
        codec.convert([AacFrame(0, 0, config, is_config=True), *(AacFrame(0, 0, frame) for frame in data)])


# --- Opus → AAC


def pieces(packets: list[bytes]) -> list[Piece]:
    return [Piece(Kind.PACKET, duration(packet), packet) for packet in packets]


def test_a_tone_in_the_opus_is_heard_in_the_aac() -> None:
    codec = OpusToAac(1, 64_000)
    made = codec.convert(pieces(sound.opus(sound.tone(600, 96_000))), 0)
    assert len(made) == 96_000 // AAC_FRAME - 1 == codec.blocks - 1
    heard = sound.hear_aac(codec.config, made)[24_000:72_000]
    assert sound.share(heard, 600) > 0.9
    assert sound.loudness(heard) == pytest.approx(0.28, abs=0.06)


def test_stereo_stays_stereo() -> None:
    codec = OpusToAac(2, 64_000)
    config, aac = sound.aac(sound.tone(600, 96_000), sound.tone(900, 96_000))
    packets = AacToOpus(96_000).convert([AacFrame(0, 0, config, is_config=True), *frames(aac, rate=48_000)])
    heard = sound.hear_aac(codec.config, codec.convert(pieces([packet.payload for packet in packets]), 0))[24_000:60_000]
    assert sound.share(heard, 600) > 0.8


@pytest.mark.parametrize("ppm", [-5_000, -300, 300, 5_000])
def test_stretching_changes_the_length_a_little_and_makes_no_clicks(ppm: int) -> None:
    codec = OpusToAac(1, 128_000)
    packets = sound.opus(sound.tone(600, 480_000))
    made: list[bytes] = []
    for index, piece in enumerate(pieces(packets)):
        made += codec.convert([piece], ppm if index >= 50 else 0)
    samples = codec.blocks * AAC_FRAME + codec.buffered
    assert samples - 480_000 == pytest.approx(-ppm * 432_000 / 1e6, abs=300)
    heard = sound.hear_aac(codec.config, made)
    assert sound.share(heard[240_000:249_600], 600 * (1 + ppm / 1e6)) > 0.95
    assert sound.roughest(heard[24_000:-4_800], 600) < 0.05


def test_a_click_would_have_been_seen() -> None:
    clicked = sound.tone(600, 4_800)
    del clicked[2_000:2_020]
    assert sound.roughest(clicked, 600) > 0.05


def test_lost_packets_are_repaired_from_the_following_and_long_gaps_fade() -> None:
    packets = sound.opus(sound.tone(600, 96_000), fec=True)
    codec = OpusToAac(1, 64_000)
    given: list[Piece] = []
    for index, piece in enumerate(pieces(packets)):
        given.append(Piece(Kind.RECOVERED, 960, packets[index + 1]) if index % 5 == 3 and index < 95 else piece)
    heard = sound.hear_aac(codec.config, codec.convert(given, 0))
    repaired = heard[24_000:90_000]
    quietest = min(sound.loudness(repaired[at : at + 960]) for at in range(0, 60_000, 960))
    assert sound.share(repaired, 600) > 0.85 and quietest > 0.2
    silent = codec.convert([Piece(Kind.CONCEALED, 960)] * 25 + [Piece(Kind.SILENCE, 960)] * 25, 0)
    assert sound.loudness(sound.hear_aac(codec.config, silent)[-14_400:]) < 0.001


def test_packets_that_libopus_refuses_are_concealed_and_counted() -> None:
    codec = OpusToAac(1, 64_000)
    # Two frames of different lengths whose first length is beyond the packet (RFC 6716 §3.2.4).
    broken = bytes((0x7A, 200))
    made = codec.convert([*pieces(sound.opus(sound.tone(600, 9_600))), Piece(Kind.PACKET, 1_920, broken)], 0)
    assert codec.broken == 1 and len(made) == (9_600 + 1_920) // AAC_FRAME - 1


# --- packets


@pytest.mark.parametrize(
    "head, samples",
    [(b"\x00", 480), (b"\x18", 2_880), (b"\x78", 960), (b"\xe0", 120), (b"\xf9", 1_920), (b"\xfb\x06", 5_760), (b"\x1b\x02", 5_760)],
)
def test_the_first_bytes_tell_the_duration(head: bytes, samples: int) -> None:
    assert duration(head + b"data") == samples


@given(st.binary(max_size=40))
def test_no_packet_lasts_longer_than_120_ms(packet: bytes) -> None:
    try:
        samples = duration(packet)
    except OpusMalformed:
        return
    assert 0 < samples <= MAX_DURATION and samples % 120 == 0
    OpusToAac(1, 64_000).convert([Piece(Kind.PACKET, samples, packet)], 0)
