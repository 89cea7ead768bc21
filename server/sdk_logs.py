"""The logs that SDKs send: kept for an operator's look, the newest per App, credentials removed.

An upload is text with one JSON document per line (``miniprogram-2.11.0.md`` §14), over HTTP or a WebSocket. Nobody has to log in to
send one, so everything is bounded: size and number of uploads, records kept, and only configured Apps are kept at all.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import msgspec
import structlog

from media.subscriber import subscriber
from rooms.model import Clock
from server.metrics import Metrics
from server.redaction import JSON, redact
from server.settings import LimitSettings

log = structlog.get_logger(__name__)

_APP_KEYS = ("appid", "app_id", "appID", "appId")
_MAX_RECORDS_PER_UPLOAD = 1000
_MAX_ADDRESSES = 10_000
"""Client addresses whose rate is remembered; when there are more, the oldest minute is forgotten early."""


class SdkLogRefused(Exception):
    """``status``: the HTTP status to answer with."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class _Ring:
    """The newest records of one App, as JSON texts: parsed, a record that was made for it takes twenty times its size."""

    def __init__(self) -> None:
        self.records: deque[bytes] = deque()
        self._bytes = 0

    def add(self, record: bytes, *, most_records: int, most_bytes: int) -> None:
        self.records.append(record)
        self._bytes += len(record)
        while len(self.records) > most_records or self._bytes > most_bytes:
            self._bytes -= len(self.records.popleft())


class SdkLogs:
    """Receives uploads and keeps their records. Raises ``OSError`` if ``file`` cannot be written to."""

    def __init__(
        self, limits: LimitSettings, metrics: Metrics, *, is_served: Callable[[int], bool], clock: Clock, file: Path | None = None
    ) -> None:
        self._limits = limits
        self._metrics = metrics
        self._is_served = is_served
        self._clock = clock
        self._kept: dict[int, _Ring] = {}
        self._minute = 0
        self._uploads: Counter[str] = Counter()
        # Without a buffer, in which lines would pile up that a full disk does not take.
        self._file: IO[bytes] | None = file.open("ab", buffering=0) if file else None

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def receive(self, upload: bytes | str, address: str, app_hint: int = 0) -> int:
        """Keep the records of one upload; how many were kept. ``app_hint``: AppID from elsewhere. Raises ``SdkLogRefused``."""
        self._admit(address)
        if len(upload) > self._limits.sdk_log_bytes:
            raise SdkLogRefused(413, "longer than limits.sdk_log_bytes")
        text = upload.decode("utf-8", "replace") if isinstance(upload, bytes) else upload
        kept = 0
        for line in text.splitlines()[:_MAX_RECORDS_PER_UPLOAD]:
            if line.strip() and self._keep(line, address, app_hint):
                kept += 1
        return kept

    def recent(self, app_id: int, limit: int) -> list[dict[str, JSON]]:
        """The newest records of an App, oldest first."""
        ring = self._kept.get(app_id)
        records = list(ring.records)[-limit:] if ring is not None and limit > 0 else []
        return [msgspec.json.decode(record, type=dict[str, Any]) for record in records]

    def _admit(self, address: str) -> None:
        minute = self._clock() // 60_000
        if minute != self._minute or len(self._uploads) > _MAX_ADDRESSES:
            self._minute = minute
            self._uploads.clear()
        counted = subscriber(address)
        self._uploads[counted] += 1
        most = self._limits.sdk_log_posts_per_minute
        if most and self._uploads[counted] > most:
            self._metrics.sdk_log_records.labels("rate_limited").inc()
            raise SdkLogRefused(429, "more than limits.sdk_log_posts_per_minute")

    def _keep(self, line: str, address: str, app_hint: int) -> bool:
        record = _parse(line)
        app_id = _app_of(record) or app_hint
        if not self._is_served(app_id):
            self._metrics.sdk_log_records.labels("unknown_app").inc()
            return False
        kept: dict[str, JSON] = {"received_at": self._clock(), "address": address, "app_id": app_id, "record": redact(record)}
        text = msgspec.json.encode(kept)
        limits = self._limits
        self._kept.setdefault(app_id, _Ring()).add(text, most_records=limits.sdk_log_records, most_bytes=limits.sdk_log_memory_bytes)
        if self._file is not None:
            try:
                self._file.write(text + b"\n")
            except OSError as error:
                # A full disk, say. It is in memory all the same, and the next one is tried again.
                log.warning("sdk_log_not_written", problem=error.strerror)
        self._metrics.sdk_log_records.labels("kept").inc()
        log.debug("sdk_log", app_id=app_id, address=address, record=kept["record"])
        return True


def _parse(line: str) -> JSON:
    try:
        # Exact: NaN, infinite numbers and lone surrogates, which the json module takes, cannot be written again for the operator.
        value: JSON = msgspec.json.decode(line)
    except (ValueError, RecursionError):
        return line
    return value


def _app_of(record: JSON) -> int:
    if isinstance(record, dict):
        for key in _APP_KEYS:
            value = record.get(key)
            if isinstance(value, int) or (isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= 10):
                return int(value)
    return 0
