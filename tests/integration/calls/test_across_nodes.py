"""A player talks to one node and the stream is held by another: offer and answer pass between them, on both stores."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass

import pytest

from calls import node_messages as n
from calls.errors import MediaFull, MediaSessionUnknown, SdpRefused, StreamElsewhere
from calls.media_session import MediaEnd, MediaLogin, MediaRole
from rooms.errors import NodeUnreachable, SessionUnknown, StreamForbidden
from rooms.events import EndReason
from rooms.model import Session
from tests.integration.calls.nodes import ROOM, Node, Nodes, nodes_on
from tests.unit.calls.fakes import APP_ID, FakePeer
from tests.waiting import until

GRACE = 90_000
SILENCE = 15_000


@dataclass
class Two:
    """bob's stream ``s`` is on ``there``; amy's client talks to ``here``."""

    nodes: Nodes
    here: Node
    there: Node
    bob: MediaLogin
    publisher: int
    amy: Session
    login: MediaLogin
    peer: FakePeer

    async def play(self) -> int:
        opened = await self.here.calls.open_player(self.login, "s", "offer", across_nodes=True)
        assert opened.answer == "there: answer to offer"
        return opened.media_session_id

    def connect(self, player: int) -> None:
        self.there.calls.media_connected(player)

    def nothing_left(self) -> bool:
        players = [media for node in (self.here, self.there) for media in node.calls._live.all() if media.role is MediaRole.PLAYER]
        return not players and list(self.there.plane.open) == [self.publisher]


@pytest.fixture
async def two(store_url: str) -> AsyncIterator[Two]:
    async with nodes_on(store_url, socket_grace=GRACE, asker_silence=SILENCE) as nodes:
        here, there = await nodes.start("here"), await nodes.start("there")
        bob, publisher = await there.on_the_air("bob", "s")
        amy = await here.enter("amy")
        login, peer = await here.media(amy)
        yield Two(nodes, here, there, bob, publisher, amy, login, peer)


async def test_the_answer_is_the_other_nodes_and_the_client_hears_of_its_media_once(two: Two) -> None:
    player = await two.play()
    assert two.there.plane.open[player] == ("player", f"{APP_ID}/s") and not two.here.plane.open
    path = two.here.calls.media_path(two.login, player)
    assert path.addresses == ("there.example:7000",) and path.relay is not None and path.relay.urls == two.there.plane.turn_servers
    two.connect(player)
    await until(lambda: two.peer.told)
    two.there.calls.set_status(two.bob, two.publisher, 2, 1)
    await until(lambda: len(two.peer.told) == 2)
    await two.here.calls.call_roll()
    assert two.peer.told == [("connected", player), ("status", player, 2, 1)]


async def test_only_who_asks_for_it_plays_across_nodes(two: Two) -> None:
    with pytest.raises(StreamElsewhere):
        await two.here.calls.open_player(two.login, "s", "offer")
    assert two.nothing_left()


async def test_an_offer_may_come_after_the_session(two: Two) -> None:
    begun = await two.here.calls.begin_media(two.login, MediaRole.PLAYER, "s", across_nodes=True)
    assert begun.relay.urls == two.there.plane.turn_servers
    assert await two.here.calls.describe(two.login, begun.media_session_id, "later") == "there: answer to later"
    with pytest.raises(MediaSessionUnknown):
        await two.here.calls.describe(two.login, begun.media_session_id, "again")
    two.connect(begun.media_session_id)
    await until(lambda: two.peer.told == [("connected", begun.media_session_id)])


async def test_the_clients_mute_and_close_reach_the_other_node(two: Two) -> None:
    player = await two.play()
    for active in (False, True):
        two.here.calls.set_audio_active(two.login, player, active)
        await until(lambda active=active: two.there.plane.forwarding.get(player) is active)  # type: ignore[misc]
    two.here.calls.close_media(two.login, player)
    await until(two.nothing_left)
    assert two.peer.told == []


@pytest.mark.parametrize("refusal", [SdpRefused("no opus"), MediaFull("full")])
async def test_a_refusal_is_the_same_from_another_node_and_leaves_nothing_behind(two: Two, refusal: Exception) -> None:
    two.there.plane.refuse = refusal
    with pytest.raises(type(refusal)):
        await two.play()
    assert two.nothing_left()


async def test_a_forbidden_stream_is_refused_and_one_that_plays_ends(two: Two) -> None:
    player = await two.play()
    await two.here.rooms.moderation.forbid_stream(APP_ID, "s", 1)
    await until(lambda: two.peer.told == [("closed", player, MediaEnd.STREAM_FORBIDDEN)])
    await until(lambda: not two.there.plane.open)
    with pytest.raises(StreamForbidden):
        await two.play()


async def test_who_is_kicked_hears_nothing_more(two: Two) -> None:
    player = await two.play()
    await two.there.rooms.kick(APP_ID, ROOM, "amy", reason=EndReason.KICKED)
    await until(two.nothing_left)
    assert two.peer.told == [("closed", player, MediaEnd.KICKED)]


async def test_a_client_whose_socket_is_lost_keeps_its_media_and_finds_it_again(two: Two) -> None:
    player = await two.play()
    two.here.calls.media_socket_lost(two.login)
    two.connect(player)
    await until(lambda: (media := two.here.calls._live.get(player)) is not None and media.connected)
    token = two.there.calls._live._sessions[player].token
    login, peer = await two.here.media(two.amy, (player, token))
    two.here.calls.catch_up(login)
    assert login.resumed == (player,) and peer.told == [("connected", player)]


async def test_when_the_clients_node_dies_its_media_waits_there_and_the_client_may_claim_it(two: Two) -> None:
    player = await two.play()
    two.connect(player)
    token = two.there.calls._live._sessions[player].token
    await two.nodes.stop(two.here)
    two.nodes.clock.now += SILENCE
    await two.there.calls.tick(two.nodes.clock())
    login, peer = await two.there.media(two.amy, (player, token))
    two.there.calls.catch_up(login)
    assert login.resumed == (player,) and player in two.there.plane.open
    two.there.calls.close_media(login, player)
    assert list(two.there.plane.open) == [two.publisher]


async def test_when_the_clients_node_dies_and_nobody_comes_its_media_ends(two: Two) -> None:
    player = await two.play()
    await two.nodes.stop(two.here)
    two.nodes.clock.now += SILENCE
    await two.there.calls.tick(two.nodes.clock())
    assert player in two.there.plane.open
    two.nodes.clock.now += GRACE
    await two.there.calls.tick(two.nodes.clock())
    assert player not in two.there.plane.open


async def test_when_the_streams_node_dies_the_client_is_told_to_open_again(two: Two) -> None:
    player = await two.play()
    await two.nodes.stop(two.there)
    await two.here.calls.call_roll()
    assert two.peer.told == [("closed", player, MediaEnd.MEDIA_LOST)]
    assert not two.here.calls._live.all()


async def test_a_node_that_goes_says_so(two: Two) -> None:
    player = await two.play()
    two.there.calls.aclose()
    await until(lambda: two.peer.told == [("closed", player, MediaEnd.NODE_STOPPED)])


async def test_a_node_that_does_not_answer_refuses_and_leaves_nothing_behind(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(two.there.rooms.node_requests, "received", lambda payload: None)
    monkeypatch.setitem(two.here.rooms.node_requests.ask.__func__.__kwdefaults__, "seconds", 0.05)  # type: ignore[attr-defined]
    with pytest.raises(NodeUnreachable):
        await two.play()
    assert two.nothing_left()


async def test_lost_messages_are_put_right_by_the_roll_call(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    player, other = await two.play(), await two.play()
    for node in (two.here, two.there):
        monkeypatch.setattr(node.rooms.node_requests, "tell", lambda *message: None)
    two.connect(player)
    two.there.calls.set_status(two.bob, two.publisher, 2, 1)
    two.here.calls.set_audio_active(two.login, player, False)
    two.there.calls.media_lost(other, "idle")
    assert two.peer.told == []
    await two.here.calls.call_roll()
    assert two.peer.told == [("connected", player), ("status", player, 2, 1), ("closed", other, MediaEnd.MEDIA_LOST)]
    assert two.there.plane.forwarding[player] is False
    # Given up here, unheard there: gone once it is old enough not to be one that is just being opened.
    two.here.calls.close_media(two.login, player)
    two.nodes.clock.now += SILENCE + 1
    kept = await two.play()
    assert set(two.there.plane.open) == {two.publisher, player, kept}
    await two.here.calls.call_roll()
    assert set(two.there.plane.open) == {two.publisher, kept}


async def test_a_node_that_does_not_answer_holds_no_other_up_in_the_roll_call(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    far = await two.nodes.start("far")
    await far.on_the_air("eve", "s2")
    await two.here.calls.open_player(two.login, "s2", "offer", across_nodes=True)
    player = await two.play()
    two.connect(player)
    ask, answered = two.here.rooms.node_requests.ask, asyncio.Event()

    async def slow(node_id: str, kind: str, body: bytes) -> bytes:
        if node_id == "far":
            await answered.wait()
            raise NodeUnreachable("far does not answer")
        answer = await ask(node_id, kind, body)
        answered.set()
        return answer

    monkeypatch.setattr(two.here.rooms.node_requests, "ask", slow)
    async with asyncio.timeout(30):
        await two.here.calls.call_roll()
    assert len(two.here.calls._live.all()) == 2


@pytest.mark.parametrize("begun", [False, True])
async def test_an_offer_that_is_too_long_for_another_node_is_refused(two: Two, begun: bool) -> None:
    offer = "x" * (n.MOST_TEXT + 1)
    if begun:
        media = await two.here.calls.begin_media(two.login, MediaRole.PLAYER, "s", across_nodes=True)
        answer: Awaitable[object] = two.here.calls.describe(two.login, media.media_session_id, offer)
    else:
        answer = two.here.calls.open_player(two.login, "s", offer, across_nodes=True)
    with pytest.raises(SdpRefused):
        await answer
    await until(two.nothing_left)


async def test_a_stream_that_moves_to_the_clients_node_is_opened_again(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    player = await two.play()
    # The client's node sees it for itself, whatever the other one says.
    monkeypatch.setattr(two.there.rooms.node_requests, "tell", lambda *message: None)
    login, _ = await two.here.media(two.bob.owner)
    await two.here.calls.open_publisher(login, "s", "offer")
    await until(lambda: ("closed", player, MediaEnd.STREAM_MOVED) in two.peer.told)
    await until(lambda: player not in two.there.plane.open)
    assert (await two.here.calls.open_player(two.login, "s", "offer", across_nodes=True)).answer == "here: answer to offer"


async def test_forged_messages_open_close_and_tell_nothing(two: Two) -> None:
    player = await two.play()
    asked = two.here.rooms.node_requests
    wish = n.OpenPlayer(
        asker="here", media_session_id=7, token="t", asked_at=two.nodes.clock(), app_id=APP_ID, session_id=two.amy.session_id,
        media_key="wrong", user_id="amy", stream_id="s", offer="offer",
    )  # fmt: skip
    refused = n.decode_from_carrier(await asked.ask("there", n.TO_CARRIER, n.encode(wish)))
    assert isinstance(refused, n.Refused) and refused.error == SessionUnknown.__name__
    for forged in (
        n.ClosePlayer(asker="here", media_session_id=player, token="wrong"),
        n.ClosePlayer(asker="elsewhere", media_session_id=player, token=two.there.calls._live._sessions[player].token),
        n.SetPlayer(asker="here", media_session_id=player, token="wrong", active=False),
        n.ClosePlayer(asker="here", media_session_id=two.publisher, token=two.there.calls._live._sessions[two.publisher].token),
    ):
        await asked.ask("there", n.TO_CARRIER, n.encode(forged))
    assert set(two.there.plane.open) == {player, two.publisher} and not two.there.plane.forwarding
    for report in (
        n.PlayerReport("there", player, "wrong", True, (0, 0), MediaEnd.KICKED),
        n.PlayerReport("elsewhere", player, two.here.calls._live._sessions[player].token, True, None, MediaEnd.KICKED),
    ):
        await two.there.rooms.node_requests.ask("here", n.TO_ASKER, n.encode(report))
    assert two.peer.told == []
    for garbage in (b"", b"\xc1", b"\x91\xa4open"):
        with pytest.raises(NodeUnreachable):
            await asked.ask("there", n.TO_CARRIER, garbage)


async def test_a_client_that_gives_up_while_its_offer_is_away_leaves_nothing_behind(two: Two) -> None:
    two.there.plane.gate = asyncio.Event()
    playing = asyncio.create_task(two.play())
    await until(lambda: any(media.role is MediaRole.PLAYER for media in two.there.calls._live.all()))
    playing.cancel()
    await asyncio.gather(playing, return_exceptions=True)
    await until(lambda: not any(media.role is MediaRole.PLAYER for media in two.there.calls._live.all()))
    two.there.plane.gate.set()
    await until(two.nothing_left)
