"""What only the first session style puts on the wire (``web-1x-2x.md`` §4): one TURN URL, and candidates beside the answer."""

from __future__ import annotations

from collections.abc import Sequence

from signaling.media_json.messages import CandidateInfo

SEVERAL_TURN_SERVERS = 2180
"""``sdk_version`` from which ``turn_server`` may be a list; those before take one URL (§5)."""


def turn_server(urls: Sequence[str], sdk_version: int) -> str:
    """``turn_server`` for this version. UDP goes first: SDKs make TCP of it themselves (``setTurnOverTcpOnly``)."""
    udp = [url for url in urls if "udp" in url]
    if sdk_version >= SEVERAL_TURN_SERVERS and udp:
        return ";".join(udp)
    return (udp or list(urls))[0]


def candidate_infos(answer: str) -> tuple[CandidateInfo, ...]:
    """The candidates of an SDP answer with the media section that each belongs to."""
    found: list[CandidateInfo] = []
    for index, section in enumerate(answer.split("\r\nm=")[1:]):
        lines = section.split("\r\n")
        mid = next((line.removeprefix("a=mid:") for line in lines if line.startswith("a=mid:")), "")
        found += [CandidateInfo(line.removeprefix("a="), mid, index) for line in lines if line.startswith("a=candidate:")]
    return tuple(found)
