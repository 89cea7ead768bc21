"""Users of the official mini-program SDK, hosted by ``node/miniprogram.js``."""

from __future__ import annotations

from typing import Any

from tests.e2e.remote import Json
from tests.e2e.sdk_user import SdkUser

REFERENCE = "2.11.0"
"""Version that phones have if a test names none."""
PUSH_STARTED = 1002
"""``<live-pusher>``: connected and pushing."""
PLAY_STARTED = 2004
"""``<live-player>``: playing."""
PUSH_DISCONNECTED = -1307
"""``<live-pusher>``: connection to the server lost for good."""


class MiniProgramUser(SdkUser):
    """One phone with one app with one engine."""

    async def create(
        self,
        app_id: int,
        server: str | list[str],
        *,
        multi_room: bool = False,
        busy: bool = False,
        version: str = REFERENCE,
        hub: str | None = None,
    ) -> None:
        """``busy``: the phone looks at received frames only now and then, several one after the other. ``hub``: ``host:port`` of the
        accesshub, for versions that speak it."""
        self._remote.add(self)
        await self._remote.call(
            "create", user=self.name, appId=app_id, server=server, multiRoom=multi_room, busy=busy, version=version, hub=hub
        )

    async def start_pusher(self, stream_id: str, **option: Any) -> str:
        """The page starts its live-pusher. Returns the RTMP address; nothing is announced until the pusher has started."""
        return str(await self._remote.call("startPusher", user=self.name, streamId=stream_id, option=option))

    async def publish(self, stream_id: str, **option: Any) -> str:
        """Publishes as an app does, and waits until the SDK says PUBLISHING. Returns the RTMP address."""
        url = await self.start_pusher(stream_id, **option)
        await self.component_state(stream_id, PUSH_STARTED)
        await self.publisher_state(stream_id, "PUBLISHING")
        return url

    async def stop_publishing(self) -> None:
        await self._remote.call("stopPusher", user=self.name)

    async def start_player(self, stream_id: str, **option: Any) -> None:
        await self._remote.call("startPlayer", user=self.name, streamId=stream_id, option=option)

    async def play_url(self, stream_id: str) -> str:
        """Starts a player and returns the address that its page's live-player is given."""
        await self.start_player(stream_id)

        def address(data: Json) -> str | None:
            for player in data.get("players", []):
                if player["id"] == stream_id and player.get("url"):
                    return str(player["url"])
            return None

        (data,) = await self.wait_event("setData", address)
        found = address(data)
        assert found is not None
        return found

    async def stop_player(self, stream_id: str) -> None:
        await self._remote.call("stopPlayer", user=self.name, streamId=stream_id)

    async def component_state(self, stream_id: str, code: int) -> None:
        """The page passes on a state code of its live-pusher or live-player."""
        await self._remote.call("componentState", user=self.name, streamId=stream_id, code=code)

    async def cut(self, *, stay_offline: bool = False) -> None:
        """Breaks the socket. With ``stay_offline`` the phone has no network until ``go_online``."""
        await self._remote.call("cut", user=self.name, stayOffline=stay_offline)

    async def go_online(self) -> None:
        await self._remote.call("goOnline", user=self.name)

    async def vanish(self, *, silently: bool) -> None:
        """The app is gone for ever: with its socket reset, or silently, the TCP connection left open but mute."""
        await self._remote.call("vanish", user=self.name, silently=silently)

    async def dispose(self) -> None:
        await self._remote.call("dispose", user=self.name)
