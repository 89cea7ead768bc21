"""Where a client sends and gets a stream: on which node, by which transport (``calls/addresses.py`` writes the addresses themselves)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from calls import addresses
from calls.addresses import MediaCredential
from calls.ports import Rooms
from rooms.model import NodeInfo, Session, Stream

Transport = Literal["webrtc", "rtmp"]

MOST_SPARES = 2
"""Addresses of other nodes that a client is given beside the one it is to use."""


@dataclass(frozen=True, slots=True)
class ListedAddresses:
    """Where a stream of a list is played without asking again."""

    rtmp: str
    flv: str
    """Over HTTP; a WebSocket has the same with ``ws`` for ``http``."""


class StreamAddresses:
    """All coroutines may raise ``StoreUnavailable``. ``base``: see ``Calls.publish_urls``."""

    def __init__(self, rooms: Rooms, rtmp_port: int) -> None:
        self._rooms = rooms
        self._others: dict[str, NodeInfo] = {}
        """Other nodes, as of the last look."""
        self.rtmp_port = rtmp_port
        """Not 0: clients of this node are sent to this TCP port of the host by which they know it, not to ``NodeInfo.rtmp_url``."""

    def here(self, session: Session, stream_id: str, transport: Transport, base: str) -> list[str]:
        """On this node; empty when it has no such transport."""
        return self._on(self._rooms.node, session, stream_id, transport, base)

    async def on_its_node(self, session: Session, stream_id: str, transport: Transport, base: str) -> list[str]:
        """On the node that holds the stream, on this one if none does, and spare ones."""
        stream = await self._rooms.stream(session.app_id, stream_id)
        node = self._rooms.node if stream is None else await self._node(stream.node_id)
        return [*self._on(node, session, stream_id, transport, base), *await self._spares(node, session, transport)]

    async def spares(self, session: Session, transport: Transport) -> list[str]:
        """Media addresses on other nodes, for a client that finds this one dead: SDKs take the next address of the list after 3 s."""
        return await self._spares(self._rooms.node, session, transport)

    def listed(self, credential: MediaCredential, stream: Stream, base: str) -> ListedAddresses | None:
        """On the node that holds the stream, at once. None where that node has no RTMP, or is not known here yet."""
        own = self._rooms.node
        node = own if stream.node_id in ("", own.node_id) else self._others.get(stream.node_id)
        rtmp = self._rtmp(node, base) if node is not None else ""
        if node is None or not rtmp:
            return None
        http = (node.ws_url or base).replace("ws", "http", 1)
        return ListedAddresses(
            addresses.rtmp_url(rtmp, credential, stream.stream_id), addresses.flv_url(http, credential, stream.stream_id)
        )

    async def look(self) -> None:
        """Learns of the other nodes, for ``listed``."""
        self._others = {node.node_id: node for node in await self._rooms.nodes()}

    async def _node(self, node_id: str) -> NodeInfo:
        """Where a node is reached; this one if it is not there any more (its streams will be gone in a moment)."""
        own = self._rooms.node
        if node_id in ("", own.node_id):
            return own
        return next((node for node in await self._rooms.nodes() if node.node_id == node_id), own)

    async def _spares(self, node: NodeInfo, session: Session, transport: Transport) -> list[str]:
        if transport != "webrtc":
            return []
        others = [other for other in await self._rooms.nodes() if other.node_id != node.node_id and other.ws_url and not other.draining]
        others.sort(key=lambda other: other.sessions)
        return [addresses.media_url(other.ws_url, _credential(session)) for other in others[:MOST_SPARES]]

    def _on(self, node: NodeInfo, session: Session, stream_id: str, transport: Transport, base: str) -> list[str]:
        if transport == "webrtc":
            return [addresses.media_url(node.ws_url or base, _credential(session))]
        rtmp = self._rtmp(node, base)
        return [addresses.rtmp_url(rtmp, _credential(session), stream_id)] if rtmp else []

    def _rtmp(self, node: NodeInfo, base: str) -> str:
        """Empty = the node has no RTMP."""
        if self.rtmp_port and node.node_id == self._rooms.node.node_id:
            return addresses.rtmp_base(node.ws_url or base, self.rtmp_port)
        return node.rtmp_url


def _credential(session: Session) -> MediaCredential:
    return MediaCredential(session.app_id, session.session_id, session.media_key)
