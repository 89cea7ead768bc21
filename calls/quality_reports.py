"""Quality reports of SDKs, brought to the node where the media is: a client may talk to another one than it hears."""

from __future__ import annotations

import msgspec

from calls.figures import QualityReport
from calls.media_session import MediaSession
from calls.ports import NodeRequests
from calls.statistics import MediaStatistics

KIND = "quality_report"


class _Passed(msgspec.Struct, frozen=True, array_like=True):
    media_session_id: int
    report: QualityReport


_DECODER = msgspec.msgpack.Decoder(_Passed)
_ENCODER = msgspec.msgpack.Encoder()


class QualityReports:
    """See the module."""

    def __init__(self, statistics: MediaStatistics, nodes: NodeRequests) -> None:
        self._statistics = statistics
        self._nodes = nodes
        nodes.serve(KIND, self._passed)

    def take(self, media: MediaSession, report: QualityReport) -> None:
        """Keep it, here or where the media is; what gets lost on the way there is not repeated."""
        if media.carrier:
            self._nodes.tell(media.carrier, KIND, _ENCODER.encode(_Passed(media.media_session_id, report)))
        else:
            self._statistics.reported(media.media_session_id, report)

    async def _passed(self, body: bytes) -> bytes:
        passed = _DECODER.decode(body)
        self._statistics.reported(passed.media_session_id, passed.report)
        return b""
