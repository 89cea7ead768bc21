"""One media socket's conversation, without the socket: frames in, frames out (``web-1x-2x.md`` §3, §5, §7–§9)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog
from msgspec import Struct

from auth import TokenError
from calls.addresses import MediaCredential
from calls.errors import AddressStale, AppUnknown, CallError, MediaFull, MediaSessionUnknown, SdpRefused
from calls.media_owner import MediaClaim
from calls.media_session import MediaEnd, MediaLogin, MediaRole, MediaSession
from calls.service import Calls
from rooms.errors import RoomError
from rooms.model import Clock
from signaling.media_endings import ASK_AGAIN, CLOSES, RETRY, Action, Close, MediaResult, after_close, described_refusal, refusal
from signaling.media_json import messages as m
from signaling.media_json.codec import BodyInvalid, Frame, Header, decode_body, encode
from signaling.media_json.errors import DEAF_AT_FIRST, login_result
from signaling.media_json.first_style import candidate_infos, turn_server
from signaling.media_json.quality import quality_report
from signaling.media_json.settings import MediaSocketSettings
from signaling.push_numbers import PushNumbers
from signaling.rejecting_answer import rejecting_answer

log = structlog.get_logger()

Refused = (CallError, RoomError, TokenError, SdpRefused, MediaFull)
_NOBODY = "-"
"""Name and password that open nothing."""
Handler = Callable[[Frame, MediaLogin], Awaitable[Struct]]


class MediaConversation:
    """A media socket after its address has been read. Is its own ``calls.media_session.MediaPeer``."""

    def __init__(
        self,
        calls: Calls,
        credential: MediaCredential,
        settings: MediaSocketSettings,
        send: Callable[[str], None],
        clock: Clock,
        client_address: str = "",
    ) -> None:
        """``send`` queues a frame and never blocks. ``client_address`` is told to the client as its own."""
        self._calls = calls
        self._credential = credential
        self._settings = settings
        self._clock = clock
        self._send = send
        self._client_address = client_address
        self._login: MediaLogin | None = None
        self._user_id = ""
        self._sdk_version = ""
        self._stale = False
        """The address was good, but its room session is over."""
        self._push_numbers = PushNumbers(clock)
        self._doomed: dict[int, tuple[str, Close]] = {}
        """Sessions that were granted only in order to be closed with their offer, and their streams."""
        self._begun: dict[int, str] = {}
        """Streams of the sessions that wait for their offer."""
        self._deaf: set[str] = set()
        """Streams whose refusal the client has not heard yet (``DEAF_AT_FIRST``)."""
        self._reset: set[int] = set()
        """Sessions that the client has been told to open again because they are not here: once is enough."""
        self._handlers: dict[str, tuple[str, Handler]] = {
            "CandidateInfoReq": ("CandidateInfoRsp", self._acknowledge),
            "StreamStatusNotify": ("StreamStatusNotifyAck", self._stream_status),
            "ActivateAudioPlayStreamReq": ("ActivateAudioPlayStreamRsp", self._activate_audio),
            "ActivateVideoPlayStreamReq": ("ActivateVideoPlayStreamRsp", self._activate_video),
            "ClientHBReq": ("ClientHBRsp", self._heartbeat),
            "CloseSessionReq": ("CloseSessionRsp", self._close_session),
            "QualityReportReq": ("QualityReportRsp", self._quality_report),
            "Peer2PeerNetStatsGetReq": ("Peer2PeerNetStatsGetRsp", self._net_stats),
            "CmdReq": ("CmdRsp", self._command),
            "MediaDescUpdateReq": ("MediaDescUpdateRsp", self._update_media),
        }

    async def handle(self, frame: Frame) -> None:
        """Answer one frame. Whatever is wrong with it, or with us, is answered too: nothing is raised."""
        try:
            await self._dispatch(frame)
        except Exception:
            log.exception("media_command_failed", command=frame.header.cmd, app_id=self._credential.app_id)
            if frame.header.cmd == "CreateSessionReq":
                self._reply(frame, "CreateSessionRsp", m.CreateSessionRsp(MediaResult.FAILED))
            elif frame.header.cmd.endswith("Req"):
                self._reply(frame, frame.header.cmd.removesuffix("Req") + "Rsp", m.Result(MediaResult.FAILED))

    async def _dispatch(self, frame: Frame) -> None:
        command = frame.header.cmd
        if command == "LoginReq":
            await self._log_in(frame)
        elif command == "CreateSessionWithSdpReq":
            await self._create_session_with_sdp(frame)
        elif command == "CreateSessionReq":
            await self._create_session(frame)
        elif command == "MediaDescReq":
            await self._describe(frame)
        elif command == "ClientHBReq" and self._login is None:
            # Unanswered beats make the client give this socket up and start afresh; an answer would keep it waiting.
            return
        elif command in self._handlers:
            answer_command, handler = self._handlers[command]
            self._reply(frame, answer_command, await self._answer(frame, handler))
        elif command.endswith("Req"):
            # Later SDKs ask for more than this server has; an empty yes is what they take without harm (web-1x-2x.md §3).
            self._reply(frame, command.removesuffix("Req") + "Rsp", m.Result(MediaResult.OK if self._login else MediaResult.NOT_LOGGED_IN))

    @property
    def logged_in(self) -> bool:
        """Whether somebody's right to media has been shown, be it of a room session that is over (``_stale``)."""
        return self._login is not None or self._stale

    def ended(self) -> None:
        """The socket is gone."""
        if self._login is not None:
            self._calls.media_socket_lost(self._login)
            self._login = None

    # --- MediaPeer

    def connected(self, session: MediaSession) -> None:
        # Once per session: a client that gets a second one with event 0 opens the session again (web-1x-2x.md §4).
        command = "PublishEventPush" if session.role is MediaRole.PUBLISHER else "PlayEventPush"
        self._push(command, session.media_session_id, m.EventPush(session.stream_id))

    def status(self, session: MediaSession, mic: int, camera: int) -> None:
        self._push("StreamStatusNotifyPush", session.media_session_id, m.StreamStatusNotifyPush(session.stream_id, mic, camera))

    def closed(self, session: MediaSession, reason: MediaEnd) -> None:
        self._begun.pop(session.media_session_id, None)
        self._close(session.media_session_id, CLOSES[reason])

    # --- login

    async def _log_in(self, frame: Frame) -> None:
        try:
            request = decode_body(frame, m.LoginReq)
        except BodyInvalid:
            self._reply(frame, "LoginRsp", m.Result(MediaResult.BAD_REQUEST))
            return
        held = [(session.session_id, session.session_token) for session in request.sessions or ()]
        self._user_id = frame.header.user_id
        self._sdk_version = request.sdkversion
        self._stale = False
        self.ended()
        try:
            if str(frame.header.appid) != str(self._credential.app_id):
                raise AppUnknown("the address is another App's")
            claim = MediaClaim(frame.header.user_id, request.roomid, request.token, held)
            self._login = await self._calls.media_login(self._credential, claim, self)
        except AddressStale as error:
            if not after_close(self._sdk_version).knows(Action.ASK_AGAIN):
                # 1.x tries its addresses for a while, then tells its app.
                self._refuse_login(frame, error)
                return
            # Refused, SDKs would try the same address again for minutes. Instead every session is sent for a new one: those that
            # the client still claims now, those that it asks for later in _create_session_with_sdp.
            self._stale = True
            self._reply(frame, "LoginRsp", self._welcome(request.token))
            for session_id, _ in held:
                self._close(session_id, ASK_AGAIN)
            return
        except Refused as error:
            self._refuse_login(frame, error)
            return
        self._reply(frame, "LoginRsp", self._welcome(request.token))
        self._calls.catch_up(self._login)
        self._reset_sessions(self._login.unknown)

    def _refuse_login(self, frame: Frame, error: Exception) -> None:
        # The socket stays open: 2.14.0 reopens a closed one at once and without end. It ends with ``login_timeout``.
        log.info("media_login_refused", app_id=self._credential.app_id, reason=type(error).__name__)
        self._reply(frame, "LoginRsp", m.Result(login_result(error), str(error)))

    def _welcome(self, token: str) -> m.LoginRsp:
        settings = self._settings
        if not settings.quality_interval:
            return m.LoginRsp(token, settings.negotiation_interval)
        return m.LoginRsp(token, settings.negotiation_interval, report=True, report_interval_ms=settings.quality_interval)

    # --- sessions

    async def _create_session_with_sdp(self, frame: Frame) -> None:
        command = "CreateSessionWithSdpRsp"
        login = self._login
        if (login is None and not self._stale) or not self._is_from_user(frame):
            self._reply(frame, command, m.Result(MediaResult.NOT_LOGGED_IN))
            return
        try:
            request = decode_body(frame, m.CreateSessionWithSdpReq)
            if request.type not in (m.PUBLISH, m.PLAY):
                raise BodyInvalid("type")
        except BodyInvalid:
            self._reply(frame, command, m.Result(MediaResult.BAD_REQUEST))
            return
        if login is None:
            self._refuse(frame, ASK_AGAIN, request.sdp)
            return
        try:
            if request.type == m.PUBLISH:
                opened = await self._calls.open_publisher(login, request.stream_id, request.sdp)
            else:
                opened = await self._calls.open_player(login, request.stream_id, request.sdp, across_nodes=self._stays)
        except Refused as error:
            self._log_refusal(login, request.stream_id, error)
            self._refuse(frame, refusal(error), request.sdp)
            return
        answer = m.CreateSessionWithSdpRsp(opened.media_session_id, opened.token, opened.answer, self._client_address)
        self._reply(frame, command, answer, opened.media_session_id)

    @property
    def _stays(self) -> bool:
        """The client cannot be sent to the node that holds a stream: 1.x plays everything over the first media address that it opened,
        whatever the room answers for a further stream, and does not ask again."""
        return not after_close(self._sdk_version).knows(Action.ASK_AGAIN)

    @staticmethod
    def _log_refusal(login: MediaLogin, stream_id: str, error: Exception) -> None:
        owner = login.owner
        log.info(
            "media_refused",
            app_id=owner.app_id,
            room_id=owner.room_id,
            user_id=owner.user_id,
            stream_id=stream_id,
            reason=type(error).__name__,
        )

    def _refuse(self, frame: Frame, verdict: MediaResult | Close, offer: str) -> None:
        if isinstance(verdict, MediaResult):
            self._reply(frame, "CreateSessionWithSdpRsp", m.Result(verdict))
            return
        session_id = self._calls.unused_media_id()
        answer = m.CreateSessionWithSdpRsp(session_id, "", rejecting_answer(offer), self._client_address)
        self._reply(frame, "CreateSessionWithSdpRsp", answer, session_id)
        self._close(session_id, verdict)

    async def _create_session(self, frame: Frame) -> None:
        """First step of the first style: a session id and a TURN server (web-1x-2x.md §4)."""
        command = "CreateSessionRsp"
        login = self._login
        if (login is None and not self._stale) or not self._is_from_user(frame):
            self._reply(frame, command, m.CreateSessionRsp(MediaResult.NOT_LOGGED_IN))
            return
        try:
            request = decode_body(frame, m.CreateSessionReq)
            if request.type not in (m.PUBLISH, m.PLAY):
                raise BodyInvalid("type")
        except BodyInvalid:
            self._reply(frame, command, m.CreateSessionRsp(MediaResult.BAD_REQUEST))
            return
        if login is None:
            self._doom(frame, request.stream_id, ASK_AGAIN)
            return
        role = MediaRole.PUBLISHER if request.type == m.PUBLISH else MediaRole.PLAYER
        try:
            across_nodes = self._stays and role is MediaRole.PLAYER
            begun = await self._calls.begin_media(login, role, request.stream_id, across_nodes=across_nodes)
        except Refused as error:
            self._log_refusal(login, request.stream_id, error)
            self._doom(frame, request.stream_id, refusal(error))
            return
        if len(self._begun) < m.MAX_HELD:
            self._begun[begun.media_session_id] = request.stream_id
        answer = m.CreateSessionRsp(
            MediaResult.OK,
            begun.media_session_id,
            begun.token,
            turn_server(begun.relay.urls, request.sdk_version),
            begun.relay.username,
            begun.relay.password,
            self._client_address,
        )
        self._reply(frame, command, answer, begun.media_session_id)

    def _doom(self, frame: Frame, stream_id: str, verdict: MediaResult | Close) -> None:
        """Refuse a session of the first style. One that is to be closed is closed when its offer comes: 1.4.0 is deaf to it before."""
        urls = self._calls.relay_urls
        if isinstance(verdict, MediaResult) or not urls or len(self._doomed) >= m.MAX_HELD:
            self._reply(frame, "CreateSessionRsp", m.CreateSessionRsp(verdict if isinstance(verdict, MediaResult) else MediaResult.FAILED))
            return
        session_id = self._calls.unused_media_id()
        self._doomed[session_id] = stream_id, verdict
        # Without a server, a name and a password the browser makes no connection, and no offer (1.4.0 waits for ever then).
        answer = m.CreateSessionRsp(MediaResult.OK, session_id, "", urls[0], _NOBODY, _NOBODY, self._client_address)
        self._reply(frame, "CreateSessionRsp", answer, session_id)

    async def _describe(self, frame: Frame) -> None:
        """Second step: offer in, answer and candidates out, in this order or the client drops them."""
        command = "MediaDescRsp"
        login, session_id = self._login, frame.header.session_id
        if session_id in self._doomed and self._is_from_user(frame):
            self._reply(frame, command, m.Result())
            self._close_in_negotiation(session_id, *self._doomed.pop(session_id))
            return
        if login is None or not self._is_from_user(frame):
            self._reply(frame, command, m.Result(MediaResult.NOT_LOGGED_IN))
            return
        try:
            answer = await self._calls.describe(login, session_id, decode_body(frame, m.MediaDescReq).sdp)
        except (BodyInvalid, MediaSessionUnknown):
            self._reply(frame, command, m.Result(MediaResult.BAD_REQUEST))
            return
        except Refused as error:
            self._log_refusal(login, "", error)
            verdict = refusal(error)
            # Clients of this style do not look at the result (1.4.0): only a closed session tells them.
            self._reply(frame, command, m.Result(verdict if isinstance(verdict, MediaResult) else MediaResult.FAILED))
            self._close_in_negotiation(session_id, self._begun.pop(session_id, ""), described_refusal(verdict))
            return
        self._begun.pop(session_id, None)
        self._reply(frame, command, m.Result())
        self._push("MediaDescPush", session_id, m.MediaDescPush(answer))
        self._push("CandidateInfoPush", session_id, m.CandidateInfoPush(candidate_infos(answer)))

    async def _close_session(self, frame: Frame, login: MediaLogin) -> Struct:
        decode_body(frame, m.CloseSessionReq)
        self._doomed.pop(frame.header.session_id, None)
        self._begun.pop(frame.header.session_id, None)
        try:
            self._calls.close_media(login, frame.header.session_id)
        except MediaSessionUnknown:
            log.debug("media_closed_already", app_id=login.owner.app_id, user_id=login.owner.user_id)
        return m.Result()

    async def _stream_status(self, frame: Frame, login: MediaLogin) -> Struct:
        status = decode_body(frame, m.StreamStatusNotify)
        self._calls.set_status(login, frame.header.session_id, status.mic_status, status.camera_status)
        return m.Result()

    async def _activate_audio(self, frame: Frame, login: MediaLogin) -> Struct:
        request = decode_body(frame, m.ActivatePlayStreamReq)
        self._calls.set_audio_active(login, frame.header.session_id, request.active != 0)
        return m.Result()

    async def _activate_video(self, frame: Frame, login: MediaLogin) -> Struct:
        # An audio room: there is no video that could stop.
        decode_body(frame, m.ActivatePlayStreamReq)
        return m.Result(MediaResult.OK if self._calls.holds(login, frame.header.session_id) else MediaResult.BAD_REQUEST)

    async def _heartbeat(self, frame: Frame, login: MediaLogin) -> Struct:
        believed = decode_body(frame, m.ClientHBReq).session_ids or ()
        gone = [number for number in believed if number not in self._doomed and not self._calls.holds(login, number)]
        self._reset_sessions(gone)
        return m.ClientHBRsp(self._settings.heartbeat_interval)

    async def _quality_report(self, frame: Frame, login: MediaLogin) -> Struct:
        session_id, interval = frame.header.session_id, self._settings.quality_interval
        if interval:
            for said in decode_body(frame, m.QualityReportReq).streams[:1]:
                self._calls.report_quality(login, session_id, quality_report(said, self._sdk_version, self._clock()))
        return m.QualityReportRsp(report=bool(interval), report_interval_ms=interval or m.QualityReportRsp().report_interval_ms)

    # --- what needs nothing done

    async def _acknowledge(self, frame: Frame, login: MediaLogin) -> Struct:
        """Candidates of the client: its address is learnt from its checks (``web-1x-2x.md`` §5)."""
        return m.Result()

    async def _net_stats(self, frame: Frame, login: MediaLogin) -> Struct:
        return m.Peer2PeerNetStatsGetRsp(decode_body(frame, m.PeerReq).peer_id)

    async def _command(self, frame: Frame, login: MediaLogin) -> Struct:
        request = decode_body(frame, m.PeerReq)
        return m.CmdRsp(request.peer_id, request.cmd_id)

    async def _update_media(self, frame: Frame, login: MediaLogin) -> Struct:
        """Renegotiation is not served: a yes would leave the client waiting for a push."""
        return m.Result(MediaResult.FAILED)

    # --- frames

    async def _answer(self, frame: Frame, handler: Handler) -> Struct:
        login = self._login
        if login is None or not self._is_from_user(frame):
            return m.Result(MediaResult.NOT_LOGGED_IN)
        try:
            return await handler(frame, login)
        except (BodyInvalid, MediaSessionUnknown):
            return m.Result(MediaResult.BAD_REQUEST)

    def _is_from_user(self, frame: Frame) -> bool:
        return frame.header.user_id == self._user_id and str(frame.header.appid) == str(self._credential.app_id)

    def _reset_sessions(self, session_ids: list[int] | tuple[int, ...]) -> None:
        """Have the client open sessions again that it believes to hold and that are not here."""
        missing = tuple(session_id for session_id in session_ids if session_id not in self._reset)
        if missing and len(self._reset) < m.MAX_HELD:
            self._reset.update(missing)
            self._push("SessionResetPush", 0, m.SessionResetPush(missing))

    def _close_in_negotiation(self, session_id: int, stream_id: str, close: Close) -> None:
        """Close a session that has no answer yet."""
        if self._sdk_version.startswith(DEAF_AT_FIRST) and close.action is not Action.RETRY:
            if stream_id not in self._deaf and len(self._deaf) < m.MAX_HELD:
                self._deaf.add(stream_id)
                close = RETRY
            else:
                self._deaf.discard(stream_id)
        self._close(session_id, close)

    def _close(self, session_id: int, close: Close) -> None:
        told = close.understood_by(self._sdk_version)
        self._push("CloseSessionPush", session_id, m.CloseSessionPush(told.reason, told.err_info))

    def _reply(self, frame: Frame, command: str, body: Struct, session_id: int | None = None) -> None:
        header = frame.header
        session_id = header.session_id if session_id is None else session_id
        self._send(encode(Header(command, str(header.appid), header.seq, header.user_id, session_id), body))

    def _push(self, command: str, session_id: int, body: Struct) -> None:
        number = self._push_numbers.next()
        self._send(encode(Header(command, str(self._credential.app_id), number, self._user_id, session_id), body))
