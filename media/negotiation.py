"""What of an offer is taken up: the plane then does it, and the answer says so.

Towards players the ``mid`` extension is left out on purpose: the answer names the SSRC, and of each connection one m-line is in use, so
there is nothing to tell apart (RFC 9143 §9.2), and the extension would cost eight bytes a packet.
"""

from __future__ import annotations

from media.offer import Offer
from media.plane import SinkFormat, SourceFormat

_ONE_BYTE_IDS = range(1, 15)
"""Identifiers of the short form of header extensions (RFC 8285 §4.2), the only one that is written here."""


def source_format(offer: Offer) -> SourceFormat:
    """For a publisher. Arrival times need both, the numbers on the packets and the client's wish to be told."""
    opus, line = offer.opus, offer.media[offer.audio]
    return SourceFormat(
        payload_type=opus.payload_type,
        audio_level_id=line.audio_level_id,
        red_payload_type=opus.red_payload_type,
        transport_sequence_id=line.transport_sequence_id if "transport-cc" in opus.feedback else None,
        nack="nack" in opus.feedback,
        reduced_size=line.reduced_size,
    )


def sink_format(offer: Offer, *, ssrc: int, cname: str) -> SinkFormat:
    """For a player. Arrival times are not asked of it: what is sent to it does not depend on its bandwidth."""
    opus, line = offer.opus, offer.media[offer.audio]
    return SinkFormat(
        payload_type=opus.payload_type,
        ssrc=ssrc,
        cname=cname,
        audio_level_id=line.audio_level_id if line.audio_level_id in _ONE_BYTE_IDS else None,
        red_payload_type=opus.red_payload_type,
        nack="nack" in opus.feedback,
    )
