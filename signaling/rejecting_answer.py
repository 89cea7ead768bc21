"""An SDP answer that takes none of the offered media: the session exists, nothing flows, and ``CloseSessionPush`` can say why."""

from __future__ import annotations


def rejecting_answer(offer: str) -> str:
    """Answer every media section of ``offer`` with port 0 (RFC 3264 §6). An offer that is no SDP gives an answer without sections."""
    lines = ["v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0"]
    in_section = False
    for line in offer.splitlines():
        if line.startswith("m="):
            parts = line[2:].split(" ")
            in_section = len(parts) >= 4
            if in_section:
                lines += [f"m={parts[0]} 0 {' '.join(parts[2:])}", "c=IN IP4 0.0.0.0", "a=inactive"]
        elif in_section and line.startswith(("a=mid:", "a=rtpmap:", "a=sctp-port:")):
            lines.append(line)
    return "\r\n".join(lines) + "\r\n"
