"""Real TURN clients (aioice's, and aiortc forced to relay) at the node's own TURN server, and at a coturn in front of the node."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aioice import stun as aioice_stun
from aioice import turn as aioice_turn

from media import stun
from media.errors import TurnPortTaken
from media.sfu import Sfu
from media.turn.access import RelayAccess
from media.turn.config import ExternalTurn, TurnConfig
from tests.coturn import SECRET, running_coturn
from tests.integration.media.aiortc_clients import Recorder, Tone, clients, running_sfu
from tests.unit.media import offers
from tests.waiting import until

OWN = TurnConfig(port=0)


class Inbox(asyncio.DatagramProtocol):
    """What comes out of a relay."""

    def __init__(self) -> None:
        self.received: list[tuple[bytes, tuple[str, int]]] = []
        self.lost = False

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.received.append((data, addr))

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True


@contextlib.asynccontextmanager
async def allocation(sfu: Sfu, access: RelayAccess) -> AsyncIterator[tuple[aioice_turn.TurnTransport, Inbox]]:
    assert sfu.turn_port is not None
    transport, inbox = await aioice_turn.create_turn_endpoint(Inbox, ("127.0.0.1", sfu.turn_port), access.username, access.password)
    try:
        yield transport, inbox
    finally:
        transport.close()
        await until(lambda: inbox.lost)


def granted(sfu: Sfu, session: int = 1) -> RelayAccess:
    access = sfu.relay_access(session)
    assert access is not None
    return access


async def test_a_relayed_check_is_answered_by_the_sfu_from_its_candidate() -> None:
    async with running_sfu(Recorder(), turn=OWN, stun_delay_ms=0) as sfu:
        answer = await sfu.open_publisher(1, "1/a", offers.publish_offer())
        lines = dict(line[2:].partition(":")[::2] for line in answer.split("\r\n") if line.startswith(("a=ice-ufrag", "a=ice-pwd")))
        remote = next(line.partition(":")[2] for line in offers.publish_offer().split("\r\n") if line.startswith("a=ice-ufrag"))
        node = ("127.0.0.1", sfu.port)
        async with allocation(sfu, granted(sfu)) as (transport, inbox):
            relayed = transport.get_extra_info("sockname")
            assert relayed[0] == "127.0.0.1"
            check = stun.binding_request(b"t" * 12, f"{lines['ice-ufrag']}:{remote}", lines["ice-pwd"])
            transport.sendto(check, node)
            await until(lambda: len(inbox.received) > 0)
            data, source = inbox.received[0]
            assert source == node
            message = stun.parse(data)
            assert message.kind == stun.BINDING_SUCCESS
            assert stun.address_of_xor(message.attributes[stun.XOR_MAPPED_ADDRESS], message.transaction) == relayed
        await until(lambda: sfu.totals().turn_allocations == 0)


async def test_there_is_no_way_to_anybody_else() -> None:
    """Neither to another address nor to another port of the node's own."""
    async with running_sfu(Recorder(), turn=OWN) as sfu:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as neighbour:
            neighbour.bind(("127.0.0.1", 0))
            neighbour.setblocking(False)
            access = granted(sfu)
            assert sfu.turn_port is not None
            loop = asyncio.get_running_loop()
            _, client = await loop.create_datagram_endpoint(
                lambda: aioice_turn.TurnClientUdpProtocol(("", 0), access.username, access.password, 600, 500),
                remote_addr=("127.0.0.1", sfu.turn_port),
            )
            await client.connect()
            victim = neighbour.getsockname()
            for peer in (victim, ("127.0.0.2", sfu.port), ("10.0.0.1", 53)):
                with pytest.raises(aioice_stun.TransactionFailed) as refused:
                    await client.channel_bind(0x4000, peer)
                assert refused.value.response.error_code == 403
            # Permission is for an IP address, and the node's is also the neighbour's: the port must be right as well.
            await client.channel_bind(0x4001, ("127.0.0.1", sfu.port))
            indication = aioice_stun.Message(aioice_stun.Method.SEND, aioice_stun.Class.INDICATION)
            indication.attributes["XOR-PEER-ADDRESS"] = victim
            indication.attributes["DATA"] = b"hello neighbour"
            client.send_stun(indication, ("", 0))
            # Answered after the indication has been handled.
            await client.channel_bind(0x4001, ("127.0.0.1", sfu.port))
            with pytest.raises(BlockingIOError):
                neighbour.recv(100)
            assert sfu.totals().turn_refused["forbidden_peer"] == 3
            assert sfu.totals().turn_refused["no_permission"] == 1
            await client.delete()


async def test_a_stranger_gets_no_allocation() -> None:
    async with running_sfu(Recorder(), turn=OWN) as sfu:
        for access in (RelayAccess((), "99999999999:1", "guess"), RelayAccess((), "nobody", "")):
            with pytest.raises(aioice_stun.TransactionFailed):
                async with allocation(sfu, access):
                    pass
        # Whoever was let in is out when the session is over.
        await sfu.open_publisher(1, "1/a", offers.publish_offer())
        access = granted(sfu)
        sfu.close(1)
        with pytest.raises(aioice_stun.TransactionFailed):
            async with allocation(sfu, access):
                pass
        assert sfu.totals().turn_allocations == 0


async def test_sound_through_the_relay_and_back() -> None:
    recorder = Recorder()
    async with running_sfu(recorder, turn=OWN) as sfu:
        async with clients(sfu, 1, 2, relayed=True) as (alice, bob), clients(sfu, 3) as (carol,):
            await alice.publish("1/a", Tone(400))
            await bob.play("1/a")
            await carol.play("1/a")
            await until(lambda: bob.ear is not None and bob.ear.hears(400) >= 10)
            await until(lambda: carol.ear is not None and carol.ear.hears(400) >= 10)
            assert sfu.totals().turn_allocations >= 2
            for session in (1, 2):
                statistics = sfu.statistics(session)
                assert statistics is not None and statistics.peer.address is not None and statistics.peer.address[-1] == -1
            sfu.close(1)
            sfu.close(2)
            assert sfu.totals().turn_allocations == 0


async def test_a_taken_port_is_named_or_replaced() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        with pytest.raises(TurnPortTaken):
            async with running_sfu(Recorder(), turn=TurnConfig(port=port)):
                pass
        async with running_sfu(Recorder(), turn=TurnConfig(port=port, any_port_if_taken=True)) as sfu:
            assert sfu.turn_port not in (None, port)


async def test_coturn_takes_our_credentials_and_relays_to_the_node(tmp_path: Path) -> None:
    async with running_coturn(tmp_path) as coturn:
        external = ExternalTurn((f"turn:127.0.0.1:{coturn.port}?transport=udp",), SECRET)
        async with running_sfu(Recorder(), turn_external=external) as sfu, clients(sfu, 1, 2, relayed=True) as (alice, bob):
            assert sfu.turn_port is None
            await alice.publish("1/a", Tone(400))
            await bob.play("1/a")
            await until(lambda: bob.ear is not None and bob.ear.hears(400) >= 10)
