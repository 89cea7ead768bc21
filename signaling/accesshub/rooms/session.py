"""A session as its hub connection holds it: which bytes its client is pushed."""

from __future__ import annotations

from rooms.events import Barrage, Broadcast, ChannelMessage, CustomCommand, Delivery, EndReason, ExtraInfoSet, TransparentMessage
from rooms.model import Clock, Session, Stream, User
from signaling.accesshub.proto import accesshub_pb2 as pb
from signaling.accesshub.rooms import pushes
from signaling.accesshub.rooms.codec import SharedPush
from signaling.accesshub.rooms.pushes import KICK_REASONS
from signaling.accesshub.rooms.replies import EXTRA_INFO_CHANNEL, list_seq
from signaling.accesshub.services import Channel
from signaling.accesshub.varints import varint5
from signaling.ports import View
from signaling.room_session import RoomSession, StreamChange, UserChange
from signaling.roster import Roster
from signaling.wire_state import Told, WireState

_BODY = "accesshub"
"""Key of this dialect's encoding in ``Delivery.memo``."""


class HubRoomSession(RoomSession["HubRoomSession"]):
    """Its pushes differ from another's by the stream id, the context key and sometimes a sequence: the rest is encoded once."""

    __slots__ = ("_clock", "_context_key", "_key", "_stream", "channel")

    def __init__(self, channel: Channel, *, context_key: int, wants_users: bool, clock: Clock) -> None:
        """``context_key``: what stands for this session in the headers of its channel, a uint32 above 0."""
        super().__init__(channel.hub, wants_users=wants_users, now=clock())
        self.channel = channel
        self._clock = clock
        self._context_key = context_key
        self._key = varint5(context_key)
        self._stream = channel.stream.to_bytes(4)

    def open(self, session: Session, view: View, roster: Roster[pb.LrUserBaseInfo], told: Told | None) -> None:
        """The login went through. Send the answer, then call ``flush``."""
        # SDKs remember the highest stream sequence beyond a login and take no lower one; seconds rise across sessions and nodes.
        self._begin(session, view, roster, WireState(self._now, told, tracks=False, first=self._now // 1000))

    @property
    def key(self) -> int:
        return self._context_key

    def users_asked(self) -> tuple[int, list[pb.LrUserBaseInfo]]:
        """Sequence and entries of the user list."""
        users = self._users_asked()
        return self.wire.user_seq, users

    # --- room_session.RoomSession

    def _itself(self) -> HubRoomSession:
        return self

    def _tell_broadcast(self, delivery: Delivery, event: Broadcast) -> None:
        push = delivery.memo.get(_BODY)
        if not isinstance(push, SharedPush):
            push = delivery.memo[_BODY] = pushes.broadcast(event, self._clock())
        self._push(push)

    def _tell_barrage(self, delivery: Delivery, event: Barrage) -> None:
        push = delivery.memo.get(_BODY)
        if not isinstance(push, SharedPush):
            push = delivery.memo[_BODY] = pushes.barrage(event, self._clock())
        self._push(push)

    def _tell_command(self, delivery: Delivery, event: CustomCommand) -> None:
        push = delivery.memo.get(_BODY)
        if not isinstance(push, SharedPush):
            push = delivery.memo[_BODY] = pushes.custom_command(event, self.session.room_id, self._clock())
        self._push(push)

    def _tell_addressed(self, delivery: Delivery, event: TransparentMessage | ChannelMessage) -> None:
        push = delivery.memo.get(_BODY)
        if not isinstance(push, SharedPush):
            now = self._clock()
            if isinstance(event, ChannelMessage):
                push = pushes.channel_message(event, now)
            else:
                push = pushes.transparent(event, now)
            delivery.memo[_BODY] = push
        self._push(push)

    def _tell_extra_info(self, delivery: Delivery, event: ExtraInfoSet) -> None:
        push = delivery.memo.get(_BODY)
        if not isinstance(push, SharedPush):
            push = delivery.memo[_BODY] = pushes.extra_info(event, EXTRA_INFO_CHANNEL, list_seq(self.view), self._clock())
        self._push(push)

    def _tell_user(self, delivery: Delivery, change: UserChange, user: User) -> None:
        push = delivery.memo.get(_BODY)
        if not isinstance(push, SharedPush):
            push = delivery.memo[_BODY] = pushes.users(change, [user], self._clock())
        self._push(push, varint5(self.wire.next_user()))

    def _tell_users(self, change: UserChange, users: list[User]) -> None:
        self._push(pushes.users(change, users, self._clock()), varint5(self.wire.next_user(len(users))))

    def _tell_stream(self, delivery: Delivery, change: StreamChange, stream: Stream) -> None:
        key = _BODY, change
        push = delivery.memo.get(key)
        if not isinstance(push, SharedPush):
            push = delivery.memo[key] = pushes.stream(change, stream, self._clock())
        self._push(push, varint5(self.wire.next_stream()))

    def _tell_streams(self, change: StreamChange, streams: list[Stream]) -> None:
        for stream in streams:
            self._push(pushes.stream(change, stream, self._clock()), varint5(self.wire.next_stream()))

    def _tell_end(self, reason: EndReason, message: str, *, one_of_several: bool) -> None:
        number = KICK_REASONS.get(reason)
        if number is None:
            return
        session = self.session
        if number is pushes.KickReason.BY_SERVER:
            self._push(pushes.kicked_from_room(session.user_id, session.session_id, number, message, self._clock()))
        else:
            self._push(pushes.kicked(number, message, self._clock()))

    def _push(self, push: SharedPush, sequence: bytes = b"") -> None:
        self.channel.send_frame(b"".join((push.before, self._stream, push.between, self._key, push.after, sequence)))
