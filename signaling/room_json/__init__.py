"""The room dialect of text JSON on ``/ws``: mini-program SDK 2.11.0, web SDKs 1.4.0 to 2.14.0 (and later ones without their net agent)."""

from signaling.room_json.settings import RoomSocketSettings
from signaling.room_json.sockets import RoomSockets

__all__ = ["RoomSocketSettings", "RoomSockets"]
