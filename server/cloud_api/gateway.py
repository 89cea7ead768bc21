"""Checks a request, finds its action and answers it: the cloud's gateway (``protocol/zego-cloud.md`` §2.1, §2.2).

Who asks is settled from the query alone; the signature covers AppId, nonce and time, neither the action nor its parameters, so a nonce
is used up as soon as its signature was found genuine, whatever the rest of the request looks like.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import structlog

from auth.signatures import verify_server_api
from calls.apps import App
from rooms import errors as rooms
from server.apps import AppDirectory
from server.cloud_api.action import AnyAction, Call, House
from server.cloud_api.admission import Admission, Rate, Replayed, TooMany, room_key
from server.cloud_api.codes import OK, GatewayCode, RoomCode
from server.cloud_api.errors import Refused
from server.cloud_api.parameters import RawParameters, parse_body, parse_query
from server.metrics import Metrics

log = structlog.get_logger(__name__)

WINDOW_SECONDS = 600
"""How far a request's clock may be from ours, in either direction."""
VERSION = "2.0"
_MAX_APP_ID = 2**32 - 1


@dataclass(frozen=True)
class ApiRequest:
    """A request as it came in."""

    query: bytes
    body: bytes | None
    """None: longer than is accepted."""
    host: str
    """The Host header; empty if it is malformed."""
    path_action: str = ""
    """The action that the path names (``/v2/{Action}``); empty on ``/``."""


class Answer(msgspec.Struct, rename="pascal", omit_defaults=True):
    """What every request is answered with."""

    code: int
    message: str
    request_id: str
    data: object = None
    """Absent if there is none."""


class Gateway:
    def __init__(
        self,
        actions: Mapping[str, AnyAction],
        not_offered: frozenset[str],
        *,
        apps: AppDirectory,
        house: House,
        admission: Admission,
        rates: Mapping[str, float],
        room_rates: Mapping[str, float],
        metrics: Metrics,
    ) -> None:
        """``rates``, ``room_rates``: instead of the cloud's, by action."""
        self._actions = actions
        self._not_offered = not_offered
        self._apps = apps
        self._house = house
        self._admission = admission
        self._rates = rates
        self._room_rates = room_rates
        self._metrics = metrics

    async def answer(self, request: ApiRequest) -> Answer:
        """Carry a request out. Never raises: a defect is answered with the cloud's "internal error"."""
        request_id = str(self._house.rng.getrandbits(63))
        name = ""
        try:
            query = parse_query(request.query)
            name = self._name(query, request.path_action)
            data, message = await self._handle(request, query, name)
            code = OK
        except Refused as refusal:
            data, message, code = None, str(refusal), refusal.code
            log.debug("cloud_api_refused", action=self._known(name), code=code, request_id=request_id)
        except rooms.StoreUnavailable as problem:
            data, message, code = None, "the store cannot be reached, try again", GatewayCode.INTERNAL
            log.warning("cloud_api_without_store", action=self._known(name), problem=str(problem), request_id=request_id)
        except Exception:
            data, message, code = None, "internal error", GatewayCode.INTERNAL
            log.exception("cloud_api_failed", action=self._known(name), request_id=request_id)
        self._metrics.cloud_api_requests.labels(self._known(name), str(int(code))).inc()
        return Answer(int(code), message, request_id, data)

    def _known(self, name: str) -> str:
        """Not what strangers invent."""
        return name if name in self._actions or name in self._not_offered else "unknown"

    @staticmethod
    def _name(query: RawParameters, path_action: str) -> str:
        """The action's name; empty if path and query name different ones."""
        given = query.get("Action", path_action)
        return given if isinstance(given, str) and (not path_action or given == path_action) else ""

    async def _handle(self, request: ApiRequest, query: RawParameters, name: str) -> tuple[object, str]:
        app, nonce, seconds = self._authorise(request, query)
        raw: RawParameters | None = None
        problem: Refused | None = None
        try:
            raw = self._parameters(request, query)
        except Refused as refusal:
            problem = refusal
        action = self._actions.get(name)
        await self._admit(app.app_id, nonce, seconds, action, raw or {})
        if not name:
            raise Refused(GatewayCode.ACTION_MISSING, "Action is missing, or path and query name different ones")
        if name in self._not_offered:
            raise Refused(GatewayCode.SERVICE_NOT_ENABLED, f"{name} is not offered by this server")
        if action is None:
            raise Refused(GatewayCode.ACTION_UNKNOWN, "there is no such Action")
        if raw is None:
            assert problem is not None
            raise problem
        call = Call(app, self._house, is_test=_is_test(query))
        return await self._run(action, call, raw), action.family.value

    def _authorise(self, request: ApiRequest, query: RawParameters) -> tuple[App, str, int]:
        """The App, the nonce, and for how many seconds this signature is good."""
        if not request.host:
            raise Refused(GatewayCode.BAD_HOST, "bad Host header")
        app_id, timestamp, nonce, signature, version = (
            _text(query, name) for name in ("AppId", "Timestamp", "SignatureNonce", "Signature", "SignatureVersion")
        )
        if not _decimal(app_id, 10) or int(app_id) > _MAX_APP_ID:
            raise Refused(GatewayCode.BAD_APP_ID, "AppId: a number is needed")
        if not timestamp:
            raise Refused(GatewayCode.TIMESTAMP_MISSING, "Timestamp is missing")
        if not _decimal(timestamp, 12):
            raise Refused(GatewayCode.TIMESTAMP_MALFORMED, "Timestamp: Unix seconds are needed")
        if not nonce:
            raise Refused(GatewayCode.NONCE_MISSING, "SignatureNonce is missing")
        if not signature:
            raise Refused(GatewayCode.SIGNATURE_MISSING, "Signature is missing")
        if not version:
            raise Refused(GatewayCode.VERSION_MISSING, "SignatureVersion is missing")
        if version != VERSION:
            raise Refused(GatewayCode.VERSION_UNSUPPORTED, f"SignatureVersion: only {VERSION}")
        skew = int(timestamp) - self._house.clock() // 1000
        if abs(skew) > WINDOW_SECONDS:
            raise Refused(
                GatewayCode.EXPIRED, f"Timestamp is {abs(skew)} s {'ahead of' if skew > 0 else 'behind'} the server's clock: sign again"
            )
        app = self._apps.get(int(app_id))
        if app is None:
            raise Refused(GatewayCode.APP_UNKNOWN, "there is no such AppId here")
        secrets = app.keys.server_secrets
        if not verify_server_api(signature, app_id=app.app_id, nonce=nonce, server_secrets=secrets, timestamp=timestamp):
            raise Refused(GatewayCode.WRONG_SIGNATURE, "the Signature does not fit: wrong ServerSecret, or not made as documented")
        return app, nonce, skew + WINDOW_SECONDS + 1

    @staticmethod
    def _parameters(request: ApiRequest, query: RawParameters) -> RawParameters:
        if request.body is None:
            raise Refused(GatewayCode.BODY_UNREADABLE, "the body is too long")
        return {**query, **parse_body(request.body)}

    async def _admit(self, app_id: int, nonce: str, seconds: int, action: AnyAction | None, raw: RawParameters) -> None:
        rates: list[Rate] = []
        if action is not None:
            rates.append(Rate(action.name, self._rates.get(action.name, action.rate)))
            room_id = raw.get("RoomId")
            if isinstance(room_id, str):
                rates.append(Rate(room_key(action.name, room_id), self._room_rates.get(action.name, action.room_rate)))
        try:
            await self._admission.admit(app_id, nonce, seconds, rates)
        except Replayed:
            raise Refused(GatewayCode.EXPIRED, "this SignatureNonce was used before: sign each request anew") from None
        except TooMany as refusal:
            assert action is not None
            if refusal.rate.key == action.name:
                raise Refused(action.rate_code, f"more than {refusal.rate.per_second:g} {action.name} per second") from None
            raise Refused(RoomCode.ROOM_RATE, f"more than {refusal.rate.per_second:g} {action.name} per second for this room") from None

    @staticmethod
    async def _run(action: AnyAction, call: Call, raw: RawParameters) -> object:
        try:
            return await action.run(call, raw)
        except rooms.RoomUnknown:
            raise Refused(action.room_unknown, "there is no such room") from None
        except rooms.UserUnknown:
            raise Refused(RoomCode.USER_UNKNOWN, "there is no such user in this room") from None
        except rooms.StreamUnknown:
            raise Refused(RoomCode.STREAM_UNKNOWN, "there is no such stream") from None
        except (rooms.StreamTaken, rooms.NotOwner):
            raise Refused(RoomCode.STREAM_OF_ANOTHER_USER, "the stream belongs to another user") from None
        except rooms.MessageTooLong as error:
            raise Refused(RoomCode.MESSAGE_TOO_LONG, str(error)) from None
        except rooms.MessageEmpty as error:
            raise Refused(RoomCode.MESSAGE_EMPTY, str(error)) from None
        except rooms.InvalidRequest as error:
            raise Refused(RoomCode.BAD_PARAMETER, str(error)) from None
        except rooms.RateLimited as error:
            raise Refused(RoomCode.APP_RATE, str(error) or "too many requests") from None
        except rooms.StoreUnavailable:
            raise
        except rooms.RoomError as error:
            raise Refused(RoomCode.FAILED, str(error) or type(error).__name__) from None


def _text(query: RawParameters, name: str) -> str:
    """A common parameter; empty if it is missing or there more than once."""
    value = query.get(name, "")
    return value if isinstance(value, str) else ""


def _decimal(text: str, most: int) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= most


def _is_test(query: RawParameters) -> bool:
    value = _text(query, "IsTest").lower()
    if value not in {"", "true", "false"}:
        raise Refused(RoomCode.BAD_PARAMETER, "IsTest: true or false")
    return value == "true"
