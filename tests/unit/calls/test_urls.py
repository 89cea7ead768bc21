"""Where clients are sent."""

from __future__ import annotations

import msgspec
import pytest

from calls.addresses import MediaCredential, flv_url, media_url, rtmp_url
from calls.settings import CallSettings
from calls.stream_addresses import ListedAddresses
from rooms.model import NodeInfo, Session
from tests.unit.calls.fakes import APP_ID, BASE, THERE, House


def credential(session: Session) -> MediaCredential:
    return MediaCredential(session.app_id, session.session_id, session.media_key)


async def test_publishers_come_to_this_node_by_the_address_they_used() -> None:
    house = House()
    house.rooms.others.clear()
    amy = house.rooms.enter("amy")
    assert await house.calls.publish_urls(amy, "s", "webrtc", BASE) == [media_url(BASE, credential(amy))]


async def test_publishers_come_to_the_configured_address_of_this_node() -> None:
    house = House()
    house.rooms.others.clear()
    house.rooms.node = NodeInfo(node_id="here", ws_url="wss://here.example", rtmp_url="rtmp://here.example")
    amy = house.rooms.enter("amy")
    assert await house.calls.publish_urls(amy, "s", "webrtc", BASE) == [media_url("wss://here.example", credential(amy))]
    assert await house.calls.publish_urls(amy, "t", "rtmp", BASE) == [rtmp_url("rtmp://here.example", credential(amy), "t")]


async def test_players_go_to_the_node_of_the_stream_or_stay_here() -> None:
    house = House()
    amy, bob = house.rooms.enter("amy"), house.rooms.enter("bob")
    assert (await house.calls.play_urls(bob, "s", "webrtc", BASE))[0] == media_url(BASE, credential(bob))
    await house.calls.publish_urls(amy, "s", "webrtc", BASE)
    assert (await house.calls.play_urls(bob, "s", "webrtc", BASE))[0] == media_url(BASE, credential(bob))
    house.rooms.elsewhere(amy, "far")
    assert (await house.calls.play_urls(bob, "far", "webrtc", BASE))[0] == media_url(THERE.ws_url, credential(bob))
    assert await house.calls.play_urls(bob, "far", "rtmp", BASE) == [rtmp_url(THERE.rtmp_url, credential(bob), "far")]


async def test_players_stay_here_when_the_node_of_the_stream_is_gone() -> None:
    house = House()
    amy, bob = house.rooms.enter("amy"), house.rooms.enter("bob")
    house.rooms.elsewhere(amy, "far")
    house.rooms.others.clear()
    assert await house.calls.play_urls(bob, "far", "webrtc", BASE) == [media_url(BASE, credential(bob))]


async def test_another_node_without_an_address_is_reached_by_the_clients_own() -> None:
    house = House()
    house.rooms.others = [msgspec.structs.replace(THERE, ws_url="")]
    amy, bob = house.rooms.enter("amy"), house.rooms.enter("bob")
    house.rooms.elsewhere(amy, "far")
    assert await house.calls.play_urls(bob, "far", "webrtc", BASE) == [media_url(BASE, credential(bob))]


async def test_further_addresses_are_those_of_other_nodes_that_stay() -> None:
    """For a client whose node dies without a word."""
    house = House()
    amy, bob = house.rooms.enter("amy"), house.rooms.enter("bob")
    busy = msgspec.structs.replace(THERE, node_id="busy", ws_url="wss://busy.example", sessions=9)
    going = msgspec.structs.replace(THERE, node_id="going", ws_url="wss://going.example", draining=True)
    nameless = msgspec.structs.replace(THERE, node_id="nameless", ws_url="")
    house.rooms.others = [busy, going, nameless, THERE]
    spares = [THERE.ws_url, busy.ws_url]
    assert await house.calls.publish_urls(amy, "s", "webrtc", BASE) == [media_url(url, credential(amy)) for url in (BASE, *spares)]
    assert await house.calls.play_urls(bob, "s", "webrtc", BASE) == [media_url(url, credential(bob)) for url in (BASE, *spares)]
    house.rooms.elsewhere(amy, "far")
    assert await house.calls.play_urls(bob, "far", "webrtc", BASE) == [
        media_url(THERE.ws_url, credential(bob)),
        media_url(busy.ws_url, credential(bob)),
    ]


@pytest.mark.parametrize("port", [0, 1935])
async def test_without_rtmp_there_is_no_address_and_nothing_is_reserved(port: int) -> None:
    house = House(settings=CallSettings(rtmp_port=port))
    amy = house.rooms.enter("amy")
    urls = await house.calls.publish_urls(amy, "s", "rtmp", BASE)
    assert urls == ([rtmp_url("rtmp://127.0.0.1:1935", credential(amy), "s")] if port else [])
    assert bool(house.rooms.held) == bool(port)


# --- addresses of lists


@pytest.mark.parametrize(("base", "http"), [("ws://192.0.2.1:8080", "http://192.0.2.1:8080"), ("wss://rtc.example", "https://rtc.example")])
async def test_lists_lead_to_this_node_by_the_address_that_the_client_used(base: str, http: str) -> None:
    house = House(settings=CallSettings(rtmp_port=1935))
    amy, bob = house.rooms.enter("amy"), house.rooms.enter("bob")
    stream = await house.calls.announce(amy, "s", "")
    host = base.partition("//")[2].partition(":")[0]
    assert house.calls.list_addresses(credential(bob), stream, base) == ListedAddresses(
        rtmp_url(f"rtmp://{host}:1935", credential(bob), "s"), flv_url(http, credential(bob), "s")
    )


async def test_lists_lead_to_the_node_of_the_stream_once_it_is_known() -> None:
    house = House(settings=CallSettings(rtmp_port=1935))
    amy, bob = house.rooms.enter("amy"), house.rooms.enter("bob")
    house.rooms.elsewhere(amy, "far")
    stream = await house.rooms.stream(APP_ID, "far")
    assert stream is not None
    assert house.calls.list_addresses(credential(bob), stream, BASE) is None
    await house.tick()
    assert house.calls.list_addresses(credential(bob), stream, BASE) == ListedAddresses(
        rtmp_url(THERE.rtmp_url, credential(bob), "far"), flv_url("https://there.example", credential(bob), "far")
    )


async def test_without_rtmp_lists_hold_no_addresses() -> None:
    house = House()
    amy, bob = house.rooms.enter("amy"), house.rooms.enter("bob")
    stream = await house.calls.announce(amy, "s", "")
    assert house.calls.list_addresses(credential(bob), stream, BASE) is None
