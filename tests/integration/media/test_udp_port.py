"""What happens when the kernel takes no more datagrams for a while."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Iterator

import pytest

from media.plane import Address
from media.udp_port import UdpPort
from tests.waiting import until

NODE: Address = ("peer", 1)


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two ends of a datagram socket that, unlike UDP on loopback, fills up."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    for end in (ours, theirs):
        end.setblocking(False)
    with ours, theirs:
        yield ours, theirs


def fill(sock: socket.socket) -> int:
    sent = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            sock.send(b"filler")
            sent += 1
    return sent


async def test_queued_datagrams_leave_in_order_and_the_oldest_are_dropped(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    fillers = fill(ours)
    # More than the socket takes at once, so that it fills up again while the queue is sent.
    limit = 5 * fillers
    port = UdpPort(ours, asyncio.get_running_loop(), queue_limit=limit)
    for number in range(limit + 3):
        port.enqueue(number.to_bytes(4, "big"), NODE, lambda data, address: ours.send(data))
    assert port.queue_drops == 3
    received: list[bytes] = []

    def receive() -> int:
        with contextlib.suppress(BlockingIOError):
            while True:
                received.append(theirs.recv(100))
        return len(received)

    await until(lambda: receive() == fillers + limit)
    assert received[fillers:] == [number.to_bytes(4, "big") for number in range(3, limit + 3)]
    port.enqueue(b"again", NODE, lambda data, address: ours.send(data))
    await until(lambda: receive() == fillers + limit + 1)
    port.close()


async def test_a_queued_datagram_that_cannot_be_sent_does_not_hold_up_the_others(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    port = UdpPort(ours, asyncio.get_running_loop(), queue_limit=5)

    def unreachable(data: bytes | memoryview, address: Address) -> None:
        raise OSError(101, "unreachable")

    port.enqueue(b"lost", NODE, unreachable)
    port.enqueue(b"sent", NODE, lambda data, address: ours.send(data))

    def received() -> bytes:
        try:
            return theirs.recv(100)
        except BlockingIOError:
            return b""

    assert await until(received) == b"sent"
    port.close()


async def test_without_a_file_descriptor_left_the_right_address_still_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    port = UdpPort.bind("0.0.0.0", 0, asyncio.get_running_loop(), buffer_bytes=65_536, queue_limit=5)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.bind(("127.0.0.1", 0))
        client.settimeout(20)

        def none_left(*_: object) -> socket.socket:
            raise OSError(errno.EMFILE, "Too many open files")

        with monkeypatch.context() as patched:
            patched.setattr(socket, "socket", none_left)
            port.route(client.getsockname(), socket.inet_aton("127.0.0.1"))(b"answer", client.getsockname())
        assert client.recvfrom(100) == (b"answer", ("127.0.0.1", port.number))
    port.close()
