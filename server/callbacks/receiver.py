"""Posts to a receiver: bounded in time and size, without redirects or proxies, and never to an address inside unless that is allowed.

The address is checked where the connection is made, on what the name was resolved to, and the connection goes to that very address: a
name whose answer changes in between gains nothing.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import httpcore
import httpx

_ANSWER_BYTES = 65_536
"""More of an answer is not read; its connection is then closed."""
_KEPT_CONNECTIONS = 64
_KEPT_SECONDS = 30.0
_RESOLVERS = 16
"""Names that are looked up at the same time; apart from the threads of everything else."""

_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class DeliveryFailed(Exception):
    """The text says why, without the address's path or any secret. ``status``: the HTTP status, 0 if there was none."""

    def __init__(self, problem: str, status: int = 0) -> None:
        super().__init__(problem)
        self.status = status


class Receiver(Protocol):
    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """Returns the HTTP status, 200 to 299. Raises ``DeliveryFailed``."""


class AddressRefused(Exception):
    """The receiver's name leads to an address inside."""


def is_public(address: str) -> bool:
    """Whether an IP address is one of the internet's. An IPv4 address inside an IPv6 one is looked at itself."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not ip.is_multicast and not ip.is_reserved and not ip.is_unspecified


class CheckedNetwork(httpcore.AsyncNetworkBackend):
    """Connects to what a name resolves to, if it may."""

    def __init__(self, *, private_allowed: bool) -> None:
        self._private_allowed = private_allowed
        self._inner = httpcore.AnyIOBackend()
        self._threads = ThreadPoolExecutor(_RESOLVERS, thread_name_prefix="callback-names")

    async def _resolve(self, host: str, port: int) -> list[str]:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(self._threads, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"the name cannot be resolved: {error}") from None
        return list(dict.fromkeys(str(entry[4][0]) for entry in found))

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        addresses = await self._resolve(host, port)
        if not self._private_allowed and not all(is_public(address) for address in addresses):
            raise AddressRefused
        problem: Exception = httpcore.ConnectError("the name has no address")
        for address in addresses:
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                problem = error
        raise problem

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None
    ) -> httpcore.AsyncNetworkStream:
        raise AddressRefused

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


class HttpReceiver:
    """Posts over HTTP. ``timeout`` (s) bounds a whole attempt, from the look-up of the name to the last byte of the answer."""

    def __init__(self, *, timeout: float, private_allowed: bool) -> None:
        self._timeout = timeout
        self._network = CheckedNetwork(private_allowed=private_allowed)
        # Only httpcore lets the connection be made by hand; it follows no redirects and knows no proxies. How many connections there
        # are is bounded by who posts: a limit for all Apps together would let a slow receiver hold up the others.
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=httpx.create_ssl_context(),
            max_connections=None,
            max_keepalive_connections=_KEPT_CONNECTIONS,
            keepalive_expiry=_KEPT_SECONDS,
            network_backend=self._network,
        )

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        try:
            async with asyncio.timeout(self._timeout):
                return await self._post(url, body, headers)
        except (TimeoutError, httpcore.TimeoutException):
            raise DeliveryFailed(f"no answer within {self._timeout:g} s") from None
        except AddressRefused:
            raise DeliveryFailed("the receiver's address is a private one, see callbacks.private_receivers") from None
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol, OSError, ValueError) as error:
            raise DeliveryFailed(f"{type(error).__name__}: {error}"[:200]) from None

    async def _post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        parts = httpx.URL(url)
        target = httpcore.URL(scheme=parts.raw_scheme, host=parts.raw_host, port=parts.port, target=parts.raw_path)
        async with self._pool.stream("POST", target, headers=list(headers.items()), content=body) as answer:
            size = 0
            async for part in answer.aiter_stream():
                size += len(part)
                if size > _ANSWER_BYTES:
                    break
        if not 200 <= answer.status <= 299:
            redirect = ", redirects are not followed" if 300 <= answer.status <= 399 else ""
            raise DeliveryFailed(f"HTTP status {answer.status}{redirect}", answer.status)
        return int(answer.status)

    async def aclose(self) -> None:
        await self._pool.aclose()
        self._network.close()
