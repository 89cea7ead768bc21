"""What one writes first with aiortc: a peer connection for each session and a ``MediaRelay`` for each stream. Decodes and encodes."""

from __future__ import annotations

import uvloop
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.media import MediaRelay

from bench.sfu.lines import serve_lines


async def _serve() -> None:
    relay = MediaRelay()
    tracks: dict[str, MediaStreamTrack] = {}
    connections: list[RTCPeerConnection] = []

    async def opened(kind: str, session: int, stream: str, offer: str) -> str:
        connection = RTCPeerConnection()
        connections.append(connection)
        if kind == "publisher":
            connection.on("track", lambda track: tracks.__setitem__(stream, track))
        else:
            connection.addTrack(relay.subscribe(tracks[stream]))
        await connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        await connection.setLocalDescription(await connection.createAnswer())
        answer: str = connection.localDescription.sdp
        return answer

    await serve_lines(opened)
    for connection in connections:
        await connection.close()


if __name__ == "__main__":
    uvloop.run(_serve())
