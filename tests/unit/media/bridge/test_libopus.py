"""The functions of libopus that PyAV brings along."""

from __future__ import annotations

import pytest

from media.bridge.libopus import CodecError, OpusDecoder
from tests.unit.media.bridge import sound


def test_libopus_is_found_behind_pyav_and_decodes_conceals_and_recovers() -> None:
    packets = sound.opus(sound.tone(600, 48_000), fec=True)
    decoder = OpusDecoder(1)
    for packet in packets[:20]:
        assert decoder.decode(packet, 960).samples == 960
    concealed = OpusDecoder(2).conceal(480)
    assert concealed.samples == 480 and concealed.layout.name == "stereo"
    recovered = sound.samples_of(decoder.recover(packets[21], 960))
    assert sound.share(recovered, 600) > 0.5


def test_a_packet_that_is_not_as_long_as_said_is_refused() -> None:
    with pytest.raises(CodecError):
        OpusDecoder(1).decode(sound.opus(sound.tone(600, 960))[0], 480)
    with pytest.raises(CodecError):
        OpusDecoder(3)
