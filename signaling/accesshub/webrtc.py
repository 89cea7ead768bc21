"""WebRTC signalling of one hub socket, without the socket (services 18 and 19): requests in, payloads out (``sdk-3x.md`` §6).

The same media sessions as behind ``/media``, with the same rules; the room sessions that they belong to are those of the same socket.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple, Protocol

import structlog
from google.protobuf.message import Message

from auth import TokenError
from calls.addresses import MediaCredential
from calls.errors import AppUnknown, CallError, MediaFull, MediaSessionUnknown, SdpRefused
from calls.media_owner import MediaClaim
from calls.media_session import MediaEnd, MediaLogin, MediaPath, MediaRole, MediaSession
from calls.service import Calls
from rooms.errors import RoomError, SessionUnknown
from rooms.model import Clock, Session
from signaling.accesshub import webrtc_answers as answers
from signaling.accesshub.frames import FrameInvalid
from signaling.accesshub.media_credential import RETURNED_TOKEN, credential_of, read_token, write_token
from signaling.accesshub.proto import accesshub_pb2 as pb
from signaling.accesshub.webrtc_codec import CmdId, Command, Request, encode_message, parse
from signaling.media_endings import CLOSES, Close, MediaResult, described_refusal, refusal
from signaling.push_numbers import PushNumbers
from signaling.rejecting_answer import rejecting_answer

log = structlog.get_logger()

Refused = (CallError, RoomError, TokenError, SdpRefused, MediaFull)

PUBLISH, PLAY = 0, 1
"""``type`` of a session request; 2, a probe of the network, is not offered."""
MAX_HELD = 256
"""Sessions that one client claims, or has told to it as gone, at once."""
MINI_SDP_UNSUPPORTED = 110
"""``result``: offer plain SDP instead."""


class RoomSessions(Protocol):
    """The room sessions of the same socket (service 17)."""

    def session_of(self, room_id: str) -> Session | None:
        """The one in this room; in the first room that was entered if ``room_id`` is empty."""

    def sessions(self) -> list[Session]: ...


class _Kind(NamedTuple):
    """How a command is read and answered."""

    request: type[Message]
    answer: Callable[[int], Message]
    """An answer that says only this ``result``."""
    handler: Callable[[Request, Message], Awaitable[Message]]


class WebRtcSignaling:
    """One service of one socket. Is its own ``calls.media_session.MediaPeer``."""

    def __init__(
        self,
        calls: Calls,
        rooms: RoomSessions,
        send: Callable[[bytes], None],
        *,
        clock: Clock,
        client_address: str,
    ) -> None:
        """``send`` queues a payload and never blocks. ``client_address`` is told to the client as its own."""
        self._calls = calls
        self._rooms = rooms
        self._send = send
        self._app_id = 0
        """As the media login says it."""
        self._clock = clock
        self._client_address = client_address
        self._logins: dict[int, MediaLogin] = {}
        """By room session id; the first is that of the media login, others are of further rooms on the same socket (multi-room)."""
        self._user_id = ""
        self._numbers = PushNumbers(clock)
        self._reset: set[int] = set()
        """Sessions that the client has been told to open again because they are not here: once is enough."""
        self._kinds: dict[int, _Kind] = {
            Command.MEDIA_DESC: _Kind(pb.RtcMediaDescReq, lambda result: pb.RtcMediaDescRsp(result=result), self._describe),
            Command.CANDIDATE_INFO: _Kind(
                pb.RtcCandidateInfoReq, lambda result: pb.RtcCandidateInfoRsp(result=result), self._candidate_info
            ),
            Command.CLOSE_SESSION: _Kind(pb.RtcCloseSessionReq, lambda result: pb.RtcCloseSessionRsp(result=result), self._close_session),
            Command.STREAM_STATUS: _Kind(
                pb.RtcStreamStatusNotify, lambda result: pb.RtcStreamStatusNotifyAck(result=result), self._stream_status
            ),
            Command.ACTIVATE_AUDIO: _Kind(
                pb.RtcActivateAudioPlayStreamReq, lambda result: pb.RtcActivateAudioPlayStreamRsp(result=result), self._activate_audio
            ),
            Command.ACTIVATE_VIDEO: _Kind(
                pb.RtcActivateVideoPlayStreamReq, lambda result: pb.RtcActivateVideoPlayStreamRsp(result=result), self._activate_video
            ),
            Command.NET_STATS: _Kind(
                pb.RtcPeer2PeerNetStatsGetReq, lambda result: pb.RtcPeer2PeerNetStatsGetRsp(result=result), self._net_stats
            ),
            Command.CMD: _Kind(pb.RtcCmdReq, lambda result: pb.RtcCmdRsp(), self._cmd),
            Command.DISPATCH: _Kind(pb.RtcWebRTCDispatchReq, lambda result: pb.RtcWebRTCDispatchRsp(result=result), self._dispatch),
        }

    async def handle(self, request: Request) -> None:
        """Answer one request. Whatever is wrong with it, or with us, is answered too: nothing is raised."""
        try:
            await self._handle(request)
        except FrameInvalid as invalid:
            log.info("hub_media_body_invalid", command=request.command, reason=str(invalid), app_id=self._app_id)
            self._reply(request, self._bare_answer(request.command, MediaResult.BAD_REQUEST))
        except Exception:
            log.exception("hub_media_command_failed", command=request.command, app_id=self._app_id)
            self._reply(request, self._bare_answer(request.command, MediaResult.FAILED))

    def ended(self) -> None:
        """The socket, or this service on it, is gone."""
        for login in self._logins.values():
            self._calls.media_socket_lost(login)
        self._logins.clear()

    async def _handle(self, request: Request) -> None:
        match request.command:
            case Command.LOGIN:
                await self._log_in(request)
            case Command.CREATE_SESSION_WITH_SDP:
                await self._create_session_with_sdp(request)
            case Command.CREATE_SESSION:
                await self._create_session(request)
            case _:
                await self._answer(request)

    async def _answer(self, request: Request) -> None:
        kind = self._kinds.get(request.command)
        if kind is None:
            log.debug("hub_media_command_unknown", command=request.command, app_id=self._app_id)
            return
        message = parse(kind.request, request.body)
        if not self._logins:
            self._reply(request, kind.answer(MediaResult.NOT_LOGGED_IN))
            return
        try:
            answer = await kind.handler(request, message)
        except MediaSessionUnknown:
            answer = kind.answer(MediaResult.BAD_REQUEST)
        self._reply(request, answer)

    # --- MediaPeer

    def connected(self, session: MediaSession) -> None:
        """Clients see it themselves (ICE); a push about it is not expected (§6.2)."""

    def status(self, session: MediaSession, mic: int, camera: int) -> None:
        push = pb.RtcStreamStatusNotifyPush(mic_status=mic, camera_status=camera)
        self._push(Command.STREAM_STATUS_PUSH, session.media_session_id, push)

    def closed(self, session: MediaSession, reason: MediaEnd) -> None:
        self._close(session.media_session_id, CLOSES[reason])

    # --- login

    async def _log_in(self, request: Request) -> None:
        message = parse(pb.RtcLoginReq, request.body)
        if len(message.sessions) > MAX_HELD:
            self._reply(request, pb.RtcLoginRsp(result=MediaResult.BAD_REQUEST))
            return
        self.ended()
        self._app_id, self._user_id = message.appid, message.user_id
        held = [(session.session_id, session.session_token) for session in message.sessions]
        try:
            login = await self._media_login(message, held)
        except Refused as error:
            log.info("media_login_refused", app_id=self._app_id, reason=type(error).__name__)
            # Final is only an App that is not served: after anything else the client tries again, and may be in its room by then.
            result = MediaResult.TOKEN_REFUSED if isinstance(error, AppUnknown) else MediaResult.FAILED
            self._reply(request, pb.RtcLoginRsp(result=result))
            return
        self._logins[login.owner.session_id] = login
        missing = await self._claim_in_other_rooms([(number, token) for number, token in held if number in login.unknown])
        answer = pb.RtcLoginRsp(result=MediaResult.OK, tokenType=RETURNED_TOKEN, token=write_token(login.owner), abilities=0)
        self._reply(request, answer)
        for known in self._logins.values():
            self._calls.catch_up(known)
        self._reset_sessions(missing)

    async def _media_login(self, message: pb.RtcLoginReq, held: list[tuple[int, str]]) -> MediaLogin:
        """The right to media is that of the room session on this socket, or of the one that the client had on an earlier socket."""
        session = self._rooms.session_of(message.roomid)
        if session is not None:
            if session.app_id != self._app_id:
                raise AppUnknown("another App than the room's")
            credential = credential_of(session)
        else:
            # After a lost hub SDKs may log in here first and to the room then.
            returned = read_token(self._app_id, message.token) if message.tokenType == RETURNED_TOKEN else None
            credential = returned or MediaCredential(self._app_id, 0, "")
        token = "" if message.tokenType == RETURNED_TOKEN else message.token
        return await self._calls.media_login(credential, MediaClaim(message.user_id, message.roomid, token, held), self)

    async def _claim_in_other_rooms(self, held: list[tuple[int, str]]) -> list[int]:
        """Claim media sessions for the further rooms of this socket. Returns the ids of those that are not there either."""
        for session in self._rooms.sessions():
            if not held or session.session_id in self._logins:
                continue
            try:
                login = await self._calls.media_login(credential_of(session), MediaClaim(self._user_id, held=held), self)
            except Refused:
                continue
            if login.resumed:
                self._logins[session.session_id] = login
                held = [(number, token) for number, token in held if number in login.unknown]
        return [number for number, _ in held]

    async def _login_for(self, room_id: str) -> MediaLogin:
        """The media login of a room; 3.12.0 leaves the room out while it is in one only. Raises ``SessionUnknown`` for a room that the
        client is not in.
        """
        session = self._rooms.session_of(room_id)
        if session is not None:
            login = self._logins.get(session.session_id)
            if login is None:
                login = await self._calls.media_login(credential_of(session), MediaClaim(self._user_id), self)
                self._logins[session.session_id] = login
                self._forget_rooms_left()
            return login
        # Not back in its room yet after a lost hub.
        for login in self._logins.values():
            if room_id in ("", login.owner.room_id):
                return login
        raise SessionUnknown("not in this room")

    def _forget_rooms_left(self) -> None:
        """A client may change rooms on one socket for hours: of those that it has left, only those are kept that still have media, since
        it may not be back in them yet after a lost hub."""
        here = {session.session_id for session in self._rooms.sessions()}
        gone = [number for number, login in self._logins.items() if number not in here and not self._calls.has_media(login)]
        for number in gone:
            del self._logins[number]

    def _login_of(self, media_session_id: int) -> MediaLogin:
        """Raises ``MediaSessionUnknown``."""
        for login in self._logins.values():
            if self._calls.holds(login, media_session_id):
                return login
        raise MediaSessionUnknown("no such media session of this client")

    # --- sessions

    async def _create_session_with_sdp(self, request: Request) -> None:
        message = parse(pb.RtcCreateSessionWithSdpReq, request.body)
        if not self._logins or message.type not in (PUBLISH, PLAY) or not message.sdp:
            result = MediaResult.BAD_REQUEST if self._logins else MediaResult.NOT_LOGGED_IN
            if self._logins and message.mini_sdp and not message.sdp:
                self._reply(request, pb.RtcCreateSessionWithSdpRsp(result=MINI_SDP_UNSUPPORTED))
            else:
                self._reply(request, pb.RtcCreateSessionWithSdpRsp(result=result))
            return
        stream_id = message.stream_id
        try:
            login = await self._login_for(message.roomid)
            if message.type == PUBLISH:
                opened = await self._calls.open_publisher(login, stream_id, message.sdp)
            else:
                opened = await self._calls.open_player(login, stream_id, message.sdp, across_nodes=True)
            path = self._calls.media_path(login, opened.media_session_id)
        except Refused as error:
            self._log_refusal(stream_id, error)
            self._refuse(request, refusal(error), message.sdp)
            return
        self._reply(request, answers.created(opened.answer, opened.token, path, self._client_address), opened.media_session_id)

    def _refuse(self, request: Request, verdict: MediaResult | Close, offer: str) -> None:
        if isinstance(verdict, MediaResult):
            self._reply(request, pb.RtcCreateSessionWithSdpRsp(result=verdict))
            return
        # An accepted session that is closed at once: only a close says what the client is to do (``signaling/media_endings.py``).
        session_id = self._calls.unused_media_id()
        answer = answers.created(rejecting_answer(offer), "", MediaPath(self._calls.media_addresses, None), self._client_address)
        self._reply(request, answer, session_id)
        self._close(session_id, verdict)

    async def _create_session(self, request: Request) -> None:
        """First step of TURN mode: a session and a TURN server; the offer comes with ``MediaDescReq`` (§6.4)."""
        message = parse(pb.RtcCreateSessionReq, request.body)
        if not self._logins or message.type not in (PUBLISH, PLAY):
            result = MediaResult.BAD_REQUEST if self._logins else MediaResult.NOT_LOGGED_IN
            self._reply(request, pb.RtcCreateSessionRsp(result=result))
            return
        role = MediaRole.PUBLISHER if message.type == PUBLISH else MediaRole.PLAYER
        try:
            login = await self._login_for(message.roomid)
            begun = await self._calls.begin_media(login, role, message.stream_id, across_nodes=True)
            path = self._calls.media_path(login, begun.media_session_id)
        except Refused as error:
            self._log_refusal(message.stream_id, error)
            verdict = refusal(error)
            if isinstance(verdict, MediaResult):
                self._reply(request, pb.RtcCreateSessionRsp(result=verdict))
                return
            session_id = self._calls.unused_media_id()
            begun_for_nothing = answers.begun(session_id, "", MediaPath(self._calls.media_addresses, None), self._client_address)
            self._reply(request, begun_for_nothing, session_id)
            self._close(session_id, verdict)
            return
        answer = answers.begun(begun.media_session_id, begun.token, path, self._client_address)
        self._reply(request, answer, begun.media_session_id)

    async def _describe(self, request: Request, message: Message) -> Message:
        assert isinstance(message, pb.RtcMediaDescReq)
        if message.mini_sdp and not message.sdp:
            return pb.RtcMediaDescRsp(result=MINI_SDP_UNSUPPORTED)
        login = self._login_of(request.session_id)
        try:
            answer = await self._calls.describe(login, request.session_id, message.sdp)
        except MediaSessionUnknown:
            raise
        except Refused as error:
            self._log_refusal("", error)
            verdict = refusal(error)
            self._close(request.session_id, described_refusal(verdict))
            return pb.RtcMediaDescRsp(result=verdict if isinstance(verdict, MediaResult) else MediaResult.FAILED)
        return pb.RtcMediaDescRsp(result=MediaResult.OK, sdp=answer)

    async def _close_session(self, request: Request, message: Message) -> Message:
        try:
            self._calls.close_media(self._login_of(request.session_id), request.session_id)
        except MediaSessionUnknown:
            log.debug("media_closed_already", app_id=self._app_id, user_id=self._user_id)
        return pb.RtcCloseSessionRsp(result=MediaResult.OK)

    async def _stream_status(self, request: Request, message: Message) -> Message:
        assert isinstance(message, pb.RtcStreamStatusNotify)
        self._set_status(request.session_id, message.mic_status, message.camera_status)
        return pb.RtcStreamStatusNotifyAck(result=MediaResult.OK)

    def _set_status(self, media_session_id: int, mic: int, camera: int) -> None:
        self._calls.set_status(self._login_of(media_session_id), media_session_id, mic & 0xFFFF, camera & 0xFFFF)

    async def _activate_audio(self, request: Request, message: Message) -> Message:
        assert isinstance(message, pb.RtcActivateAudioPlayStreamReq)
        self._calls.set_audio_active(self._login_of(request.session_id), request.session_id, message.active != 0)
        return pb.RtcActivateAudioPlayStreamRsp(result=MediaResult.OK)

    async def _activate_video(self, request: Request, message: Message) -> Message:
        # An audio room: there is no video that could stop.
        self._login_of(request.session_id)
        return pb.RtcActivateVideoPlayStreamRsp(result=MediaResult.OK)

    async def _cmd(self, request: Request, message: Message) -> Message:
        assert isinstance(message, pb.RtcCmdReq)
        asked = parse(pb.CmdWebrtcCmdReqMsg, message.body)
        answer = pb.CmdWebrtcCmdRspMsg()
        if message.cmd_id == CmdId.NET_QUALITY:
            answer.net_quality_grade.CopyFrom(pb.CmdNetQualityGradeRsp(result=0, seq=asked.net_quality_grade.seq))
        elif message.cmd_id == CmdId.STREAM_STATUS:
            self._set_status(request.session_id, asked.stream_status.mic_status, asked.stream_status.camera_status)
            answer.stream_status_ack.CopyFrom(pb.CmdStreamStatusAck(result=0, seq=asked.stream_status.seq))
        elif message.cmd_id == CmdId.RESTART_ICE:
            # Not offered: the client opens the session again instead.
            answer.restart_ice.CopyFrom(pb.CmdRestartICERsp(result=MediaResult.FAILED, seq=asked.restart_ice.seq))
        return pb.RtcCmdRsp(peer_id=message.peer_id, cmd_id=message.cmd_id, body=answer.SerializeToString())

    async def _dispatch(self, request: Request, message: Message) -> Message:
        """The list of nodes again. Which one holds a stream is found out when the session is asked for."""
        return answers.nodes(self._calls.media_addresses, self._client_address)

    # --- what needs nothing done

    async def _candidate_info(self, request: Request, message: Message) -> Message:
        """Candidates of the client: its address is learnt from its checks (ICE-lite)."""
        return pb.RtcCandidateInfoRsp(result=MediaResult.OK)

    async def _net_stats(self, request: Request, message: Message) -> Message:
        """There is no peer-to-peer path here whose loss and delay could be told."""
        assert isinstance(message, pb.RtcPeer2PeerNetStatsGetReq)
        return pb.RtcPeer2PeerNetStatsGetRsp(result=MediaResult.OK, peer_id=message.peer_id)

    # --- payloads

    def _bare_answer(self, command: int, result: MediaResult) -> Message:
        match command:
            case Command.LOGIN:
                return pb.RtcLoginRsp(result=result)
            case Command.CREATE_SESSION:
                return pb.RtcCreateSessionRsp(result=result)
            case Command.CREATE_SESSION_WITH_SDP:
                return pb.RtcCreateSessionWithSdpRsp(result=result)
        return self._kinds[command].answer(result)

    def _reset_sessions(self, session_ids: list[int]) -> None:
        """Have the client open sessions again that it believes to hold and that are not here."""
        missing = [session_id for session_id in session_ids if session_id not in self._reset]
        if missing and len(self._reset) < MAX_HELD:
            self._reset.update(missing)
            seconds = self._clock() // 1000
            push = pb.RtcSessionResetPush(dwTimeStamp=seconds, cResetType=1, session_ids=missing, reason=0)
            self._push(Command.SESSION_RESET_PUSH, 0, push)

    def _close(self, media_session_id: int, close: Close) -> None:
        push = pb.RtcCloseSessionPush(reason=close.reason, err_info=close.err_info)
        self._push(Command.CLOSE_SESSION_PUSH, media_session_id, push)

    def _reply(self, request: Request, message: Message, session_id: int | None = None) -> None:
        session_id = request.session_id if session_id is None else session_id
        self._send(encode_message(request.command + 1, request.seq, session_id, message))

    def _push(self, command: Command, session_id: int, message: Message) -> None:
        self._send(encode_message(command, self._numbers.next(), session_id, message))

    def _log_refusal(self, stream_id: str, error: Exception) -> None:
        log.info("media_refused", app_id=self._app_id, user_id=self._user_id, stream_id=stream_id, reason=type(error).__name__)
