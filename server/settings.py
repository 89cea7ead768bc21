"""Every setting of Hearth, with its type, its default and what it means.

The docstring under each field is the documentation: ``hearth config --explain`` prints it, and a test holds ``hearth.example.toml``
and ``docs/configure.md`` to the same set of keys. How a file, the environment and the command line become one ``Settings``
is in ``server/configuration.py``.
"""

from __future__ import annotations

import ipaddress
import json
import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from auth.claims import TokenCheck
from rooms.limits import RoomLimits
from rooms.outbox import CallbackEvent

SECRET_LENGTH = 32
"""Characters of a ServerSecret or CallbackSecret, as in the ZEGO console (``zego-cloud.md`` §4.1)."""


def _split(value: object) -> object:
    """A list written as one text (in an environment variable): JSON or separated by commas."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if text.startswith("["):
        try:
            return json.loads(text)
        except ValueError as error:
            raise ValueError(f"not a JSON list: {error}") from None
    return [part.strip() for part in text.split(",") if part.strip()]


def _ip_address(value: str) -> str:
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        raise ValueError(f"{value!r} is not an IP address, such as 203.0.113.7") from None


def _network(value: str) -> str:
    try:
        return str(ipaddress.ip_network(value, strict=False))
    except ValueError:
        raise ValueError(f"{value!r} is not an IP address or network, such as 10.0.0.0/8") from None


def _secret(value: SecretStr) -> SecretStr:
    if len(value.get_secret_value()) != SECRET_LENGTH:
        raise ValueError(f"a secret has exactly {SECRET_LENGTH} characters, this one has {len(value.get_secret_value())}")
    return value


def _switch(value: object) -> object:
    """A switch written as text (in an environment variable), where only one position is allowed and pydantic does not look at texts."""
    return False if isinstance(value, str) and value.strip().lower() in {"false", "0", "off", "no"} else value


def _pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from None
    return value


def _receiver(value: str) -> str:
    if not value:
        return value
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.fragment:
        raise ValueError('an address such as "https://backend.example.org/zego", without user and password')
    return value


CallbackUrl = Annotated[str, AfterValidator(_receiver)]
Off = Annotated[Literal[False], BeforeValidator(_switch)]
Texts = Annotated[list[str], NoDecode, BeforeValidator(_split)]
Networks = Annotated[list[Annotated[str, AfterValidator(_network)]], NoDecode, BeforeValidator(_split)]
Addresses = Annotated[list[Annotated[str, AfterValidator(_ip_address)]], NoDecode, BeforeValidator(_split)]
Secret = Annotated[SecretStr, AfterValidator(_secret)]
Port = Annotated[int, Field(ge=0, le=65535)]
IdBytes = Annotated[int, Field(ge=1, le=1024)]
Pattern = Annotated[str, AfterValidator(_pattern)]
MessageBytes = Annotated[int, Field(ge=0, le=65_536)]
Rate = Annotated[float, Field(ge=0, le=1_000_000)]
Rates = dict[str, Annotated[float, Field(ge=0, le=1_000_000)]]
Seconds = Annotated[float, Field(ge=0, le=86_400)]


class Section(BaseModel):
    """A table of ``hearth.toml``."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class ServerSettings(Section):
    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    """Address to listen on for HTTP and WebSocket. "0.0.0.0" = every IPv4 interface, "::" = IPv6 too. Default: this machine only."""
    port: Port = 8080
    """TCP port for HTTP and WebSocket. 0 = any free port (the real one is printed)."""
    public_url: str = ""
    """This node's own address as clients reach it, e.g. "https://rtc1.example.org". Empty = the address each client itself used.
    Needed when several nodes share a store."""
    trusted_proxies: Networks = []
    """Addresses or networks of your reverse proxies. Only their X-Forwarded-For and X-Forwarded-Proto headers are believed."""
    dev_tls: bool = False
    """Serve https and wss on the same port with a local certificate, made once in the data folder."""
    drain_seconds: Seconds = 30
    """After SIGTERM: how long running calls may go on before the process ends."""
    data_dir: Path = Path(".hearth")
    """Where Hearth keeps what it makes itself: the development App and the local certificate."""
    node_id: Annotated[str, Field(pattern=r"^[0-9A-Za-z._-]{0,64}$")] = ""
    """Name of this node in the cluster, unique. Empty = a new random one at each start."""
    development: bool = False
    """Conveniences for development: the page /demo and tokens for it, on a loopback address only."""
    log_format: Literal["auto", "console", "json"] = "auto"
    """Form of the log on stderr. "auto" = "console" on a terminal, else "json"."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severe log entries that are written."""
    access_log: bool = False
    """Write one log entry per HTTP request and WebSocket. Query strings are left out, they hold credentials."""
    metrics_token: SecretStr = SecretStr("")
    """If set, /metrics is only for requests with "Authorization: Bearer" and this token."""
    sdk_log_url: str = ""
    """Where SDKs are told to send their own logs (log_url of the login answer), e.g. "https://rtc1.example.org/httplog".
    Empty = nowhere. SDKs only use https and wss addresses."""
    sdk_log_file: Path | None = None
    """File to which received SDK logs are appended, one JSON document per line, tokens removed. Unset = only kept in memory."""

    @field_validator("public_url")
    @classmethod
    def _is_http(cls, value: str) -> str:
        if not value:
            return value
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise ValueError('an address such as "https://rtc1.example.org"')
        return value.rstrip("/")

    @field_validator("sdk_log_url")
    @classmethod
    def _is_secure(cls, value: str) -> str:
        if value and urlsplit(value).scheme not in {"https", "wss", "http", "ws"}:
            raise ValueError('an address such as "https://rtc1.example.org/httplog"')
        return value


class StoreSettings(Section):
    url: str = "memory://"
    """Where room state lives. "memory://" = inside this process (one node). Else a Redis: "redis://host:6379/0", "rediss://…" (TLS), "unix:///path",
    "redis+sentinel://h1:26379,h2:26379/name", "redis+cluster://host:6379"."""
    grace_seconds: Seconds = 90
    """How long a session waits for its client after its socket was lost, before the others see it leave."""
    session_timeout_seconds: Annotated[float, Field(gt=0, le=86_400)] = 100
    """A session whose client sent nothing for so long is ended, socket open or not."""
    empty_room_seconds: Annotated[float, Field(ge=0, le=1800)] = 0
    """How long a room (its lifetime and extra info) outlives its last user."""
    reservation_seconds: Annotated[float, Field(ge=1, le=3600)] = 30
    """How long a stream id is held for its owner between asking for a publish address and going on the air."""
    node_lease_seconds: Annotated[float, Field(ge=1, le=300)] = 15
    """After how long without a sign of life other nodes clean up what a node held."""

    @field_validator("url")
    @classmethod
    def _known_scheme(cls, value: str) -> str:
        scheme = urlsplit(value).scheme
        if scheme not in {"memory", "redis", "rediss", "unix", "redis+sentinel", "redis+cluster"}:
            raise ValueError('one of "memory://", "redis://…", "rediss://…", "unix://…", "redis+sentinel://…", "redis+cluster://…"')
        return value


class TurnSettings(Section):
    enabled: bool = True
    """The node's own small TURN server (UDP), which relays to this node's media and to nothing else. Web SDK 1.x and 2.5.0 do not talk
    without one. It listens on media.host; with turn_external it is not started."""
    port: Port = 3478
    """UDP port of it. 0 = any free port, and so is the default if another program has 3478."""
    max_allocations: Annotated[int, Field(ge=1, le=16_000)] = 8_000
    """Most relayed connections at the same time. A page has one for each stream that it publishes or plays."""
    max_allocations_per_address: Annotated[int, Field(ge=1, le=16_000)] = 500
    """The same for one client address."""
    lifetime_seconds: Annotated[int, Field(ge=30, le=3600)] = 600
    """How long a relayed connection stands without being refreshed by its client."""
    credential_seconds: Annotated[int, Field(ge=60, le=604_800)] = 86_400
    """How long a client can begin relayed connections with the name and password of a media session. They end with that in any case."""


class ExternalTurnSettings(Section):
    urls: Texts = []
    """A TURN server that clients are sent to instead of the node's own, e.g. coturn: ["turn:turn.example.org:3478?transport=udp"]. SDKs up
    to 2.17 use the first UDP address only. It must be able to reach media.public_ips on udp_port."""
    shared_secret: SecretStr = SecretStr("")
    """Its static-auth-secret (coturn with use-auth-secret), from which the credentials of each media session are made."""
    credential_seconds: Annotated[int, Field(ge=60, le=604_800)] = 86_400
    """How long they are good for."""

    @field_validator("urls")
    @classmethod
    def _are_turn(cls, value: list[str]) -> list[str]:
        for url in value:
            if not url.startswith(("turn:", "turns:")) or ";" in url or " " in url:
                raise ValueError(f'{url!r} is not an address such as "turn:turn.example.org:3478?transport=udp"')
        return value

    @model_validator(mode="after")
    def _both_or_none(self) -> ExternalTurnSettings:
        if bool(self.urls) != bool(self.shared_secret.get_secret_value()):
            raise ValueError("turn_external needs both urls and shared_secret")
        return self


class BridgeSettings(Section):
    max_bridges: Annotated[int, Field(ge=0, le=100_000)] = 200
    """Streams converted between AAC (RTMP, FLV) and Opus (WebRTC) at the same time, each once for all listeners; the next waits for
    a place. Each takes a few percent of a core. 0 = none: RTMP and WebRTC do not hear each other."""
    threads: Annotated[int, Field(ge=1, le=256)] = 2
    """Threads in which that is done."""
    opus_bitrate: Annotated[int, Field(ge=12_000, le=510_000)] = 48_000
    """Bits per second of the Opus for WebRTC, what repairs losses (in-band FEC) included."""
    aac_bitrate: Annotated[int, Field(ge=16_000, le=256_000)] = 64_000
    """Bits per second of the AAC for RTMP and FLV."""
    linger_seconds: Annotated[float, Field(ge=0, le=600)] = 5
    """How long a conversion goes on after its last listener has left, for the next."""
    max_delay_ms: Annotated[int, Field(ge=40, le=1_000)] = 200
    """Most delay with which the jitter of a WebRTC publisher's network is evened out for RTMP and FLV; it is as small as that allows."""


class MediaSettings(Section):
    host: str = ""
    """Address to listen on for media (UDP). Empty = the same as server.host."""
    udp_port: Port = 7000
    """The one UDP port for all media. 0 = any free port."""
    public_ips: Addresses = []
    """Addresses announced to clients. Empty = the address listened on, or every one of this machine if that is "::", every IPv4 one if it
    is "0.0.0.0".
    Behind NAT or Docker: the public address whose udp_port is forwarded to this process."""
    turn: TurnSettings = TurnSettings()
    turn_external: ExternalTurnSettings = ExternalTurnSettings()
    bridge: BridgeSettings = BridgeSettings()
    max_streams: Annotated[int, Field(ge=1, le=1_000_000)] = 2_000
    """Most streams published on this node at the same time; more are refused."""
    max_players: Annotated[int, Field(ge=1, le=1_000_000)] = 20_000
    """Most plays on this node at the same time; more are refused."""
    packets_per_second: Annotated[int, Field(ge=50, le=100_000)] = 250
    """Datagrams taken from one client's media session, connectivity checks aside, with one second's worth at once; more are dropped and
    counted. Opus at 20 ms takes 50 a second, at 10 ms 100; feedback and bandwidth probes come on top."""
    stun_delay_ms: Annotated[int, Field(ge=0, le=5_000)] = 100
    """How long the connectivity checks of a client stay unanswered. Web SDKs from 2.13.0 return no stream from startPlayingStream
    when the connection is up before the browser has applied the session description; on overloaded phones more may be needed."""
    idle_timeout_seconds: Annotated[float, Field(ge=1, le=600)] = 15
    """A media session from which nothing was heard for so long is closed."""
    publisher_grace_seconds: Annotated[float, Field(ge=0, le=600)] = 10
    """How long a stream stays on the air without its publisher's media, which may come back."""
    statistics_seconds: Annotated[float, Field(ge=1, le=60)] = 5
    """How often loss, jitter, bitrate and level of each media session are sampled (`hearth streams`, /metrics)."""
    quality_report_seconds: Annotated[float, Field(ge=0, le=600)] = 10
    """How often web SDKs up to 2.13.0 are asked to report the quality that they see. 0 = not at all. Later ones never report it here."""
    statistics_minutes: Annotated[float, Field(ge=0.1, le=120)] = 10
    """How long these samples are kept, in memory: about 4 KiB for each media session with the defaults."""


class RtmpSettings(Section):
    enabled: bool = True
    """The RTMP server, for the mini-program's live-pusher and live-player, for OBS and the like, and with it playing as FLV."""
    host: str = ""
    """Address to listen on for RTMP. Empty = the same as server.host."""
    port: Port = 1935
    """TCP port for RTMP. 0 = any free port, and so is the default if another program has 1935."""
    public_host: str = ""
    """host[:port] in RTMP addresses. Empty = the host that the client itself used, with rtmp.port."""
    handshake_timeout_seconds: Annotated[float, Field(ge=1, le=600)] = 10
    """A connection that neither publishes nor plays after so long is closed."""
    idle_timeout_seconds: Annotated[float, Field(ge=1, le=3600)] = 30
    """A publisher from which nothing came for so long is closed. Its stream then has media.publisher_grace_seconds to come back."""
    replace_after_seconds: Annotated[float, Field(ge=0, le=600)] = 3
    """A publisher from which nothing came for so long gives way to another connection of the same user, who has changed the network.
    Until then a second one is refused."""
    queue_seconds: Annotated[float, Field(gt=0, le=60)] = 2
    """Sound and pictures that wait for an RTMP or FLV player that does not read fast enough; if more would, all of it is dropped and
    the player goes on live."""
    queue_bytes: Annotated[int, Field(ge=65_536, le=268_435_456)] = 2_097_152
    """The same in bytes."""
    stall_seconds: Annotated[float, Field(ge=1, le=600)] = 20
    """A player that reads nothing at all for so long is closed."""
    crowd: Annotated[int, Field(ge=1, le=1_000_000)] = 50
    """With so many RTMP and FLV players of one stream on a node, or more, its sound goes to them two messages at a time: half the work
    for 21 ms (the length of an AAC frame at 48 kHz) more of delay in every other message. Bridges and small rooms get each at once."""
    message_bytes: Annotated[int, Field(ge=65_536, le=16_777_215)] = 4_194_304
    """Longest message that an RTMP publisher may send, and most of its unfinished ones; more closes it. All others may send 64 KiB."""
    chunk_streams: Annotated[int, Field(ge=8, le=65_536)] = 32
    """Most chunk streams of one connection; more closes it. Clients use up to six."""
    messages_per_second: Annotated[int, Field(ge=100, le=100_000)] = 1_000
    """Messages of one RTMP connection per second on average, five seconds' worth at once; more ends it, with the reason
    (NetStream.Publish.Failed). Sound takes up to 94 a second, pictures 60."""
    connections: Annotated[int, Field(ge=1, le=1_000_000)] = 5_000
    """Most RTMP connections at the same time; more are closed at once."""
    connections_per_address: Annotated[int, Field(ge=1, le=1_000_000)] = 500
    """The same from one client address (IPv6: one /64 network)."""


class LimitSettings(Section):
    frame_bytes: Annotated[int, Field(ge=4096, le=16_777_216)] = 131_072
    """Longest WebSocket frame that is accepted; a longer one closes the connection (code 1009)."""
    connections_per_address: Annotated[int, Field(ge=0)] = 2000
    """Most WebSocket connections from one client address (IPv6: one /64 network) at the same time; more get HTTP 429. 0 = unlimited."""
    connections: Annotated[int, Field(ge=0)] = 0
    """Most WebSocket connections of this node; more get HTTP 503. 0 = unlimited."""
    login_timeout_seconds: Annotated[float, Field(ge=1, le=3600)] = 30
    """A WebSocket of an SDK without a login for so long is closed; on /accesshub after 120 s, as SDKs open it long before a login."""
    request_timeout_seconds: Annotated[float, Field(ge=1, le=3600)] = 30
    """An HTTP connection that has not sent its next request, body included, for so long is closed. WebSockets are not meant."""
    requests_per_second: Annotated[int, Field(ge=1, le=100_000)] = 300
    """Requests of one connection per second on average, twice as many at once; heartbeats are not among them. More are refused, and who
    goes on is disconnected. Not lower than command_rate, or that is never reached."""
    media_requests_per_second: Annotated[int, Field(ge=1, le=100_000)] = 100
    """The same for a media connection, four times as many at once. A page that plays 64 streams sends about 25."""
    queued_frames: Annotated[int, Field(ge=16, le=1_000_000)] = 4096
    """Frames that wait for a client that does not read; one more and it is disconnected (its session waits for it)."""
    sdk_log_bytes: Annotated[int, Field(ge=1024, le=16_777_216)] = 262_144
    """Longest body of one SDK log upload; a longer one gets HTTP 413."""
    sdk_log_posts_per_minute: Annotated[int, Field(ge=0)] = 120
    """SDK log uploads per client address (IPv6: per /64 network) and minute; more get HTTP 429. 0 = unlimited."""
    sdk_log_records: Annotated[int, Field(ge=0, le=1_000_000)] = 2000
    """SDK log records kept in memory per App, the newest."""
    sdk_log_memory_bytes: Annotated[int, Field(ge=0, le=1_073_741_824)] = 16_777_216
    """Bytes of SDK log records kept in memory per App; the oldest go first."""
    room_id_bytes: IdBytes = 128
    """Longest roomID, bytes of UTF-8."""
    room_id_pattern: Pattern = RoomLimits().room_id_pattern
    """Regular expression that a whole roomID must match."""
    user_id_bytes: IdBytes = 64
    """Longest userID, bytes of UTF-8."""
    user_id_pattern: Pattern = RoomLimits().user_id_pattern
    """Regular expression that a whole userID must match."""
    user_name_bytes: IdBytes = 256
    """Longest userName, bytes of UTF-8."""
    user_name_may_be_empty: bool = False
    """Whether a user may be without a name."""
    stream_id_bytes: IdBytes = 256
    """Longest streamID, bytes of UTF-8."""
    stream_id_pattern: Pattern = RoomLimits().stream_id_pattern
    """Regular expression that a whole streamID must match."""
    broadcast_bytes: MessageBytes = 1024
    """Longest text of sendBroadcastMessage, bytes of UTF-8."""
    broadcast_rate: Rate = 2
    """sendBroadcastMessage of one user per second. 0 = unlimited, as for every rate."""
    broadcast_room_rate: Rate = 10
    """sendBroadcastMessage of all users of a room on this node per second."""
    barrage_bytes: MessageBytes = 1024
    """Longest text of sendBarrageMessage, bytes of UTF-8."""
    barrage_rate: Rate = 20
    """sendBarrageMessage of one user per second."""
    command_bytes: MessageBytes = 1024
    """Longest text of sendCustomCommand, bytes of UTF-8."""
    command_rate: Rate = 200
    """sendCustomCommand of one user to one other per second."""
    command_many_rate: Rate = 10
    """sendCustomCommand of one user to several or to everybody per second."""
    command_receivers: Annotated[int, Field(ge=1, le=10_000)] = 500
    """Most receivers that one sendCustomCommand, sendTransparentMessage or sendRoomChannelMessage may name. Those have its rates, too."""
    transparent_bytes: MessageBytes = 4096
    """Longest content of sendTransparentMessage, bytes."""
    channel_bytes: MessageBytes = 10_240
    """Longest text of sendRoomChannelMessage, bytes of UTF-8."""
    extra_info_keys: Annotated[int, Field(ge=1, le=100)] = 1
    """Keys of setRoomExtraInfo per room."""
    extra_info_key_bytes: Annotated[int, Field(ge=1, le=128)] = 10
    """Longest key of setRoomExtraInfo, bytes of UTF-8."""
    extra_info_value_bytes: MessageBytes = 128
    """Longest value of setRoomExtraInfo, bytes of UTF-8."""
    extra_info_rate: Rate = 10
    """setRoomExtraInfo of one user per second."""
    stream_extra_info_bytes: MessageBytes = 1024
    """Longest extra info of a stream, bytes of UTF-8."""
    streams_per_session: Annotated[int, Field(ge=1, le=1000)] = 20
    """Streams that one user may publish at the same time in a room."""
    media_per_session: Annotated[int, Field(ge=1, le=10_000)] = 64
    """Publish and play sessions that one user may have open at the same time in a room."""
    login_rate: Rate = 200
    """Logins into one room per second, on this node."""
    address_rules: Annotated[int, Field(ge=1)] = 100
    """Live rules that deny addresses to log in or publish (SetForbidUserRule, type 1)."""
    user_rules: Annotated[int, Field(ge=1)] = 200
    """Live rules of each other type."""
    user_notify_limit: Annotated[int, Field(ge=0)] = 500
    """Members of a room beyond the first so many are neither told of others nor announced to them. 0 = unlimited."""


class CloudApiSettings(Section):
    replay_protection: bool = True
    """Accept each SignatureNonce once within the ten minutes that a signature is good for. The nonces are kept in the store."""
    rates: Rates = {}
    """Requests per second of an App by action, instead of the cloud's, e.g. {DescribeUserList = 1000, CloseRoom = 0}.
    0 = unlimited. docs/server-api.md has the cloud's."""
    room_rates: Rates = {}
    """The same for one room, e.g. {DescribeUserList = 20}."""

    @field_validator("rates", "room_rates")
    @classmethod
    def _names_actions(cls, value: dict[str, float]) -> dict[str, float]:
        # Only here: a command line need not load every action to read its settings.
        from server.cloud_api.table import ACTIONS

        unknown = sorted(value.keys() - ACTIONS.keys())
        if unknown:
            raise ValueError(f"there is no action {', '.join(unknown)}")
        return value


class CallbackSettings(Section):
    timeout_seconds: Annotated[float, Field(ge=0.1, le=60)] = 5
    """How long an attempt to deliver a callback may take."""
    concurrency: Annotated[int, Field(ge=1, le=1000)] = 16
    """Callbacks of one App that this node delivers at the same time. A slow receiver holds up only its own App."""
    outbox_events: Annotated[int, Field(ge=1, le=10_000_000)] = 100_000
    """Most events of one App that wait for delivery, in the store. Further ones are not told; hearth_callbacks_lost_total counts them."""
    dead_letters: Annotated[int, Field(ge=0, le=1_000_000)] = 10_000
    """Most events of one App that are kept after the last attempt has failed (`hearth callbacks list`). The oldest make room for others.
    0 = none are kept."""
    private_receivers: bool = False
    """Deliver to loopback, private and link-local addresses, too. Always so with server.development."""


class ConsoleSettings(Section):
    enabled: Off = False
    """This version has no web console: only false."""


class JwtSettings(Section):
    algorithms: Texts = ["HS256"]
    """Signature algorithms that are accepted: "HS256" (signed with a ServerSecret) and asymmetric ones ("RS256", "ES256", "EdDSA" …),
    which need public_keys or jwks_file."""
    public_keys: list[str] = []
    """PEM public keys, as text or as paths of files."""
    jwks_file: Path | None = None
    """JSON Web Key Set file."""
    audience: str | None = None
    """Required "aud" claim. Unset = not checked."""


class AppSettings(Section):
    app_id: Annotated[int, Field(ge=1, le=4_294_967_295)]
    """AppID, the number given to the SDK."""
    server_secrets: Annotated[list[Secret], Field(min_length=1, max_length=2)]
    """ServerSecret, 32 characters. Two while rotating: both are accepted, the first signs."""
    callback_secret: Secret | None = None
    """CallbackSecret, 32 characters: signs what Hearth calls your backend with."""
    callback_url: CallbackUrl = ""
    """Where your backend is told what happens, e.g. "https://backend.example.org/zego". Empty = nowhere. Events: docs/callbacks.md."""
    callback_urls: dict[CallbackEvent, CallbackUrl] = {}
    """An address of its own for some events, e.g. {room_login = "https://…"}; an empty one = this event is not told."""
    callback_body: Literal["json", "form"] = "json"
    """Form of the body: JSON, or "form" for application/x-www-form-urlencoded."""
    callback_numbers: bool = False
    """Send times, reason and user_role of room_login and room_logout as numbers, as the cloud did until 2023."""
    app_sign: SecretStr | None = None
    """AppSign (64 hexadecimal digits), only for legacy login tokens."""
    jwt: JwtSettings | None = None
    """JSON Web Tokens of your own identity provider as login tokens. Unset = only those signed with a ServerSecret (HS256)."""
    token_check: TokenCheck = TokenCheck.IDENTITY
    """What a token must prove: "identity" (AppID and userID), "login" (also the privilege to enter this room),
    "login+publish" (also to publish this stream)."""
    multi_room: bool = True
    """May one login enter several rooms?"""
    max_rooms_per_user: Annotated[int, Field(ge=1, le=1000)] = 5
    """Most rooms that one login may be in at the same time."""
    max_room_users: Annotated[int, Field(ge=0)] = 0
    """Most users in a room. 0 = unlimited. The SDK's maxMemberCount counts too; the smaller one wins."""
    loudest: Annotated[int, Field(ge=0, le=1000)] = 0
    """How many streams of a room each node forwards at one time: the loudest ones. For big rooms, where a few talk and many have their
    microphones open; a change of speakers is not heard as such. 0 = all streams. New publishers follow a changed number at once."""

    @field_validator("app_sign")
    @classmethod
    def _hexadecimal(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            text = value.get_secret_value().lower().replace("0x", "").replace(",", "").replace(" ", "")
            if len(text) != 64 or any(digit not in "0123456789abcdef" for digit in text):
                raise ValueError("an AppSign has 64 hexadecimal digits")
            return SecretStr(text)
        return value


class Settings(BaseSettings):
    """All of it. Built only from what it is given; ``server/configuration.py`` gathers file, environment and command line."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, env_prefix="HEARTH_", env_nested_delimiter="__"
    )

    server: ServerSettings = ServerSettings()
    """This process: where it listens and how it is reached."""
    store: StoreSettings = StoreSettings()
    """Room state and its deadlines."""
    media: MediaSettings = MediaSettings()
    """Sound: WebRTC over one UDP port."""
    rtmp: RtmpSettings = RtmpSettings()
    """Sound for the mini-program's live-pusher and live-player."""
    limits: LimitSettings = LimitSettings()
    """What one client may take."""
    cloud_api: CloudApiSettings = CloudApiSettings()
    """The operator's HTTP API, /?Action=… and /v2/{Action}."""
    callbacks: CallbackSettings = CallbackSettings()
    """Telling your backend what happens. Where to: callback_url of an App."""
    console: ConsoleSettings = ConsoleSettings()
    """Web console."""
    apps: list[AppSettings] = []
    """The Apps that are served, each a separate world of rooms, users and streams."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)

    @model_validator(mode="after")
    def _app_ids_differ(self) -> Settings:
        seen: set[int] = set()
        for app in self.apps:
            if app.app_id in seen:
                raise ValueError(f"apps: app_id {app.app_id} is there twice; each App has its own [[apps]] table")
            seen.add(app.app_id)
        return self

    def app(self, app_id: int) -> AppSettings | None:
        return next((app for app in self.apps if app.app_id == app_id), None)
