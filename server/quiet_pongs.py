"""WebSocket pings of a client that reads no answers.

uvicorn writes a pong for each, into a buffer without end: a client that sends pings and never reads fills the memory of the process as
fast as it can send, logged in or not.
"""

from __future__ import annotations

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol


class QuietPongs(WebSocketsSansIOProtocol):
    """Leaves pongs out while the client does not take what is written already (RFC 6455 §5.5.3: not every ping needs one)."""

    def handle_ping(self) -> None:
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.conn.data_to_send()
