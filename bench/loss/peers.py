"""Two pages of one Chromium, one that publishes speech and one that plays it: through a node, or one to the other."""

from __future__ import annotations

import array
import base64
import re
from dataclasses import dataclass

from bench.sfu.target import DrivenProcess
from tests.e2e.remote import Json, Remote
from tests.lossy_network import Address, LossyNetwork, Weather

_CANDIDATE = re.compile(r"^a=candidate:\S+ 1 udp \d+ ([\d.]+) (\d+) typ host.*\r\n", re.MULTILINE | re.IGNORECASE)
_ANY_CANDIDATE = re.compile(r"^a=candidate:.*\r\n", re.MULTILINE)


@dataclass(frozen=True)
class Peer:
    """One page with one connection."""

    remote: Remote
    user: str

    async def ask(self, operation: str, limit: float = 60.0, **argument: Json) -> Json:
        given = {"name": "only", **argument}
        return await self.remote.call("page", user=self.user, operation=operation, argument=given, limit=limit)

    async def record(self, seconds: int, rate: int) -> array.array[int]:
        samples = array.array("h")
        samples.frombytes(base64.b64decode(await self.ask("record", seconds + 60, seconds=seconds, rate=rate)))
        return samples

    async def open(self) -> None:
        await self.remote.call("openPeer", user=self.user)

    async def close(self) -> None:
        await self.remote.call("close", user=self.user)


async def connect_direct(publisher: Peer, player: Peer, seed: int) -> LossyNetwork:
    """The player, whose candidates the publisher does not know, finds it at the network's port only."""
    answer = await publisher.ask("answerWithMicrophone", offer=await player.ask("offerToPlay"))
    return await _through_network(player, answer, seed)


async def connect_through(node: DrivenProcess, publisher: Peer, player: Peer, stream: str, session: int, seed: int) -> LossyNetwork:
    """Publisher and node reach each other as ever; the network lies between node and player."""
    published = await _open(node, "publisher", session, stream, await publisher.ask("offerToPublish"))
    await publisher.ask("answered", answer=published)
    return await _through_network(player, await _open(node, "player", session + 1, stream, await player.ask("offerToPlay")), seed)


async def _open(node: DrivenProcess, kind: str, session: int, stream: str, offer: str) -> str:
    return str((await node.ask({"open": kind, "session": session, "stream": stream, "offer": offer}))["answer"])


async def _through_network(player: Peer, answer: str, seed: int) -> LossyNetwork:
    network = LossyNetwork(address_of(answer), Weather(), seed=seed)
    await player.ask("answered", answer=at_port(answer, network.port))
    return network


def address_of(sdp: str) -> Address:
    """Of its first host candidate over UDP and IPv4."""
    found = _CANDIDATE.search(sdp)
    if found is None:
        raise ValueError("no host candidate")
    return found[1], int(found[2])


def at_port(sdp: str, port: int) -> str:
    """With one candidate alone, on this machine."""
    found = _CANDIDATE.search(sdp)
    if found is None:
        raise ValueError("no host candidate")
    line = found[0].replace(f" {found[1]} {found[2]} ", f" 127.0.0.1 {port} ")
    before, after = sdp[: found.start()], sdp[found.end() :]
    return _ANY_CANDIDATE.sub("", before) + line + _ANY_CANDIDATE.sub("", after)
