"""The process's own log: structured, one event per state change, on stderr. stdout belongs to the connection card."""

from __future__ import annotations

import logging
import sys
from typing import Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

LogFormat = Literal["auto", "console", "json"]

_NEVER_LOGGED = frozenset(
    {
        "token",
        "third_token",
        "secret",
        "server_secret",
        "server_secrets",
        "callback_secret",
        "media_key",
        "session_id",
        "signature",
        "password",
    }
)


def _drop_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Second line of defence: a key that names a secret never reaches the output, whoever logged it."""
    for key in _NEVER_LOGGED.intersection(event):
        event[key] = "********"
    return event


def configure_logs(form: LogFormat = "auto", level: str = "info") -> None:
    """Send structlog and the standard library's loggers (uvicorn, asyncio, redis) to stderr in one form."""
    as_console = form == "console" or (form == "auto" and sys.stderr.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _drop_secrets,
    ]
    renderer: Processor = structlog.processors.JSONRenderer()
    if as_console:
        # The default one shows the values of local variables: tokens, media keys, session ids.
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
    rendering: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if not as_console:
        rendering.append(structlog.processors.format_exc_info)
    formatter = structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[*rendering, renderer])
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    # Of uvicorn only what went wrong: our own events tell the rest, and its lines about sockets hold query strings (credentials).
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    for name in ("aioice", "aiortc", "httpx", "httpcore", "websockets"):
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
