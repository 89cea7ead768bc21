"""``hearth doctor``: looks at what the server needs and says how to cure what is missing.

It can be run beside a running server: a port that this configuration's own server holds is not a failure.
"""

from __future__ import annotations

import asyncio
import datetime
import enum
import ipaddress
import socket
import stat
import time
from dataclasses import dataclass
from pathlib import Path

import httpx
import msgspec
from cryptography import x509

from rooms.errors import StoreUnavailable
from rooms.store import open_store
from server.cloud_client import default_url
from server.configuration import Configuration, without_password
from server.interfaces import machine_addresses, reached_at
from server.listening import CannotStart, listen_tcp
from server.settings import Settings
from server.wiring import rtmp_host

_CLOCK_TOLERANCE_MS = 5_000
_ANSWER_SECONDS = 3


class Verdict(enum.Enum):
    OK = "ok"
    NOTE = "note"
    """Works, but look at it before production."""
    FAILED = "failed"


@dataclass(frozen=True)
class Finding:
    subject: str
    verdict: Verdict
    text: str
    cure: str = ""


def examine(configuration: Configuration) -> list[Finding]:
    """Everything, in the order in which one would set it up."""
    settings = configuration.settings
    running = _reported_ports(settings)
    return [
        *_configuration(configuration),
        *asyncio.run(_store(settings)),
        _http_port(settings, running),
        _udp_port(settings, running),
        *_turn(settings, running),
        *_public_address(settings),
        *_certificate(settings),
        _rtmp(settings, running),
        *_permissions(configuration),
    ]


class _Report(msgspec.Struct, frozen=True):
    """What is of interest in the answer to ``/readyz``."""

    ports: dict[str, int]


Running = dict[str, int] | None
"""Ports that this configuration's own server says it listens on (``server.http.health.Ports``); None if it does not run."""


def _reported_ports(settings: Settings) -> Running:
    try:
        answer = httpx.get(f"{default_url(settings)}/readyz", timeout=_ANSWER_SECONDS, verify=False)
        return msgspec.json.decode(answer.content, type=_Report).ports
    except (httpx.HTTPError, httpx.InvalidURL, msgspec.DecodeError):
        return None


def _configuration(configuration: Configuration) -> list[Finding]:
    source = str(configuration.path) if configuration.path else "environment variables only"
    count = len(configuration.settings.apps)
    if not count:
        return [Finding("Configuration", Verdict.FAILED, f"{source}: no App", "add an [[apps]] table, see hearth.example.toml")]
    return [Finding("Configuration", Verdict.OK, f"{source}, {count} App{'s' if count > 1 else ''}")]


async def _store(settings: Settings) -> list[Finding]:
    shown = without_password(settings.store.url)
    if settings.store.url.startswith("memory:"):
        return [
            Finding(
                "Store", Verdict.NOTE, "memory://: state is lost at a restart, one node only", "set store.url to a Redis for production"
            ),
            _clock_without_reference(),
        ]
    try:
        store = open_store(settings.store.url)
    except ValueError as error:
        return [Finding("Store", Verdict.FAILED, str(error), "correct store.url")]
    try:
        began = time.time_ns() // 1_000_000
        theirs = await store.time()
        ended = time.time_ns() // 1_000_000
    except StoreUnavailable as error:
        cure = "start Redis there, or correct store.url (host, port, password; TLS needs rediss://)"
        return [Finding("Store", Verdict.FAILED, f"{shown}: {error}", cure), _clock_without_reference()]
    except Exception as error:
        return [Finding("Store", Verdict.FAILED, f"{shown}: {error}", "check password and rights of store.url"), _clock_without_reference()]
    finally:
        await store.aclose()
    return [Finding("Store", Verdict.OK, f"{shown} answers in {ended - began} ms"), _clock(theirs - (began + ended) // 2)]


def _clock(offset: int) -> Finding:
    if abs(offset) > _CLOCK_TOLERANCE_MS:
        text = f"{abs(offset) / 1000:.1f} s {'behind' if offset > 0 else 'ahead of'} the store's clock"
        return Finding(
            "Clock", Verdict.FAILED, text, "run a time service (chrony, systemd-timesyncd) on both machines: tokens expire by this clock"
        )
    return Finding("Clock", Verdict.OK, f"{abs(offset)} ms from the store's clock")


def _clock_without_reference() -> Finding:
    now = datetime.datetime.now(datetime.UTC)
    return Finding("Clock", Verdict.OK, f"{now:%Y-%m-%d %H:%M:%S} UTC; tokens expire by it")


def _http_port(settings: Settings, running: Running) -> Finding:
    server = settings.server
    where = f"TCP {server.host} port {server.port}"
    if running is not None:
        return Finding("HTTP port", Verdict.OK, f"{where}: the server is running")
    try:
        listen_tcp(server.host, server.port).close()
    except CannotStart as error:
        text, _, cure = str(error).partition(". ")
        return Finding("HTTP port", Verdict.FAILED, text, cure)
    return Finding("HTTP port", Verdict.OK, f"{where} is free")


def _turn(settings: Settings, running: Running) -> list[Finding]:
    turn, external = settings.media.turn, settings.media.turn_external
    if external.urls:
        return [Finding("TURN", Verdict.OK, f"{', '.join(external.urls)}, not Hearth's own")]
    if not turn.enabled:
        cure = "set media.turn.enabled = true, or media.turn_external, if people use web SDK 1.x or 2.5.0"
        return [Finding("TURN", Verdict.NOTE, "switched off: web SDK 1.x and 2.5.0 have no sound", cure)]
    host, port = settings.media.host or settings.server.host, turn.port
    where = f"UDP {host} port {port}"
    if running is not None:
        return [
            _listening("TURN", where, port, running.get("turn"), fixed=bool(port) and "port" in turn.model_fields_set, key="media.turn")
        ]
    if not port or not _udp_problem(host, port):
        return [Finding("TURN", Verdict.OK, f"{where}: {'any free one' if not port else 'free'}")]
    cure = "stop the program that has it, or set media.turn.port to a free UDP port of this machine"
    if "port" in turn.model_fields_set:
        return [Finding("TURN", Verdict.FAILED, f"{where} cannot be bound", cure)]
    return [Finding("TURN", Verdict.NOTE, f"{where} is taken: any free one is used", cure)]


def _udp_problem(host: str, port: int) -> str:
    """Why the port cannot be bound; empty if it can."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.bind(address)
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _udp_port(settings: Settings, running: Running) -> Finding:
    host, port = settings.media.host or settings.server.host, settings.media.udp_port
    where = f"UDP {host} port {port}"
    if port and running is not None:
        return _listening("Media port", where, port, running.get("media"), fixed=True, key="media")
    if not port:
        return Finding(
            "Media port", Verdict.NOTE, f"{where}: any free one", "set media.udp_port to a fixed port where a firewall or NAT is between"
        )
    problem = _udp_problem(host, port)
    if problem:
        cure = "set media.udp_port (and media.host) to a free port of this machine"
        return Finding("Media port", Verdict.FAILED, f"{where}: {problem}", cure)
    return Finding("Media port", Verdict.OK, f"{where} is free")


def _public_address(settings: Settings) -> list[Finding]:
    host = settings.media.host or settings.server.host
    announced = settings.media.public_ips or reached_at(host)
    findings: list[Finding] = []
    own = {*machine_addresses(), "127.0.0.1", "::1"}
    if not announced:
        cure = "set media.public_ips to the address under which clients reach this machine"
        return [Finding("Media address", Verdict.FAILED, "no address to announce to clients", cure)]
    text = ", ".join(announced)
    loopback_only = all(_is_loopback(address) for address in announced)
    if loopback_only:
        cure = 'for other machines: media.host = "0.0.0.0", and media.public_ips if this machine is behind NAT'
        findings.append(Finding("Media address", Verdict.NOTE, f"{text}: this machine only", cure))
    elif not any(_is_global(address) for address in announced):
        cure = "for clients on the internet set media.public_ips to the public address, and forward the UDP port to this machine"
        findings.append(Finding("Media address", Verdict.NOTE, f"{text}: private, reached from the same network only", cure))
    else:
        elsewhere = [address for address in announced if address not in own]
        note = (
            f" ({', '.join(elsewhere)} is not on this machine: NAT or Docker has to forward UDP {settings.media.udp_port})"
            if elsewhere
            else ""
        )
        findings.append(Finding("Media address", Verdict.OK, text + note))
    shared = not settings.store.url.startswith("memory:")
    if shared and not settings.server.public_url:
        cure = 'set server.public_url, e.g. "https://rtc1.example.org": clients of other nodes are sent there'
        findings.append(Finding("Public URL", Verdict.NOTE, "not set, and the store can be shared by several nodes", cure))
    return findings


def _is_loopback(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).is_loopback
    except ValueError:
        return text == "localhost"


def _is_global(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).is_global
    except ValueError:
        return True


def _certificate(settings: Settings) -> list[Finding]:
    server = settings.server
    if server.dev_tls:
        path = server.data_dir / "cert.pem"
        if not path.exists():
            return [Finding("Certificate", Verdict.OK, "local one, made at the first start (server.dev_tls)")]
        try:
            left = x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc - datetime.datetime.now(datetime.UTC)
        except ValueError:
            return [Finding("Certificate", Verdict.NOTE, f"{path} is damaged: made anew at the next start")]
        return [Finding("Certificate", Verdict.OK, f"local one, {left.days} days left; renewed at a start when it is nearly over")]
    if server.public_url.startswith("https://"):
        return [_public_certificate(server.public_url)]
    cure = "browsers give a microphone only to https pages and localhost: --dev-tls on the LAN, a reverse proxy in production"
    return [Finding("Certificate", Verdict.NOTE, "none: http and ws", cure)]


def _public_certificate(url: str) -> Finding:
    try:
        httpx.get(f"{url}/healthz", timeout=_ANSWER_SECONDS)
    except httpx.ConnectError as error:
        if "CERTIFICATE" in str(error).upper():
            return Finding("Certificate", Verdict.FAILED, f"{url}: {error}", "renew the proxy's certificate, or serve its whole chain")
        return Finding(
            "Certificate", Verdict.NOTE, f"{url} cannot be reached from here: {error}", "check DNS and the reverse proxy once it runs"
        )
    except httpx.HTTPError as error:
        return Finding("Certificate", Verdict.NOTE, f"{url}: {error or type(error).__name__}", "check the reverse proxy")
    return Finding("Certificate", Verdict.OK, f"{url} has a valid one")


def _listening(subject: str, where: str, port: int, real: int | None, *, fixed: bool, key: str) -> Finding:
    """Of a server that runs. ``port``: the configured one, 0 = any. ``real``: the one that it reports."""
    if real is None:
        cure = f"restart the server: it was started before the configuration was changed ([{key}])"
        return Finding(subject, Verdict.FAILED, f"{where}: the server is running, and does not listen there", cure)
    if real == port:
        return Finding(subject, Verdict.OK, f"{where}: the server is running")
    if not port:
        return Finding(
            subject, Verdict.NOTE, f"{where}: the running server has {real}", f"set {key}.port where a firewall or NAT is between"
        )
    if fixed:
        return Finding(subject, Verdict.FAILED, f"{where}: the running server listens on {real}", "restart the server")
    cure = f"stop the program that has {port} and restart the server, or set {key}.port: clients are told {real}"
    return Finding(subject, Verdict.NOTE, f"{where} was taken: the running server has {real}", cure)


def _rtmp(settings: Settings, running: Running) -> Finding:
    if not settings.rtmp.enabled:
        return Finding("RTMP port", Verdict.OK, "off (rtmp.enabled)")
    host, port = rtmp_host(settings), settings.rtmp.port
    where = f"TCP {host} port {port}"
    if running is not None:
        fixed = "port" in settings.rtmp.model_fields_set
        return _listening("RTMP port", where, port, running.get("rtmp"), fixed=fixed, key="rtmp")
    if not port:
        return Finding("RTMP port", Verdict.NOTE, f"{where}: any free one", "set rtmp.port where a firewall or NAT is between")
    try:
        listen_tcp(host, port).close()
    except CannotStart:
        cure = "stop the program that has it, or set rtmp.port (and rtmp.host) to a free port of this machine"
        if "port" in settings.rtmp.model_fields_set:
            return Finding("RTMP port", Verdict.FAILED, f"{where} cannot be listened on", cure)
        return Finding("RTMP port", Verdict.NOTE, f"{where} is taken: any free one is used", cure)
    return Finding("RTMP port", Verdict.OK, f"{where} is free")


def _permissions(configuration: Configuration) -> list[Finding]:
    files = [path for path in (configuration.path, configuration.settings.server.data_dir / "ca-key.pem") if path and path.exists()]
    open_ones = [path for path in files if _readable_by_others(path)]
    if open_ones:
        names = " ".join(str(path) for path in open_ones)
        return [Finding("File rights", Verdict.NOTE, f"{names}: secrets that every user of this machine can read", f"chmod 600 {names}")]
    return [Finding("File rights", Verdict.OK, "secrets are readable by their owner only")] if files else []


def _readable_by_others(path: Path) -> bool:
    return bool(path.stat().st_mode & (stat.S_IRWXO | stat.S_IWGRP))
