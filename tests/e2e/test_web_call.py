"""A whole call with web SDKs of every kind in Chromium; what people hear is recognised by its spectrum."""

from __future__ import annotations

from asyncio import gather

import pytest

from tests.e2e import commands
from tests.e2e.browser import MICROPHONE_TONE
from tests.e2e.on_the_air import LONGEST_GAP, on_the_air, tune_in
from tests.e2e.users import PageMaker
from tests.e2e.versions import COUNTS_QUALITY, FIRST_STYLE, NEWEST, WHOLE_CALL, session_request
from tests.hearth_process import HearthProcess

KICKED_BY_SERVER = 1002055
KICKED_IN_1_4_0 = 2001000001

# Media is the same on either store; test_two_nodes.py and test_web_restart.py have it on Redis.
pytestmark = pytest.mark.parametrize("store_url", ["memory"], indirect=True)

with_every_kind = pytest.mark.parametrize("version", WHOLE_CALL)
with_either_dialect = pytest.mark.parametrize("version", [*WHOLE_CALL, NEWEST])
"""test_web_newest.py has what is different over the accesshub."""


@with_either_dialect
async def test_two_people_talk_and_a_third_who_comes_later_hears_both(
    hearth: HearthProcess, page: PageMaker, room: str, stream: str, version: str
) -> None:
    alice, bob, carol = await page(hearth, "alice", "bob", "carol", version=version)
    await gather(alice.login(room), bob.login(room))
    await gather(alice.sees_user(room, bob.user_id), bob.sees_user(room, alice.user_id))
    of_alice, of_bob = f"{stream}-alice", f"{stream}-bob"
    await gather(alice.publish_microphone(of_alice), bob.publish_tone(of_bob, 880))
    await gather(tune_in(room, alice, of_bob, 880), tune_in(room, bob, of_alice, MICROPHONE_TONE))

    await carol.login(room)
    await gather(tune_in(room, carol, of_alice, MICROPHONE_TONE), tune_in(room, carol, of_bob, 880))
    for user in (alice, bob, carol):
        if not user.hub:  # whose frames are binary, and which leaves the choice between a straight and a relayed path to the browser
            assert len(user.sent(session_request(version))) == 2
            assert {path["type"] for path in await user.paths()} == {"relay" if version in FIRST_STYLE else "host"}


@with_either_dialect
async def test_what_a_publisher_says_of_herself_reaches_the_listener(
    hearth: HearthProcess, page: PageMaker, room: str, stream: str, version: str
) -> None:
    """Microphone status, extra info, and for SDKs that still can, statistics."""
    alice, bob = await page(hearth, "alice", "bob", version=version)
    await on_the_air(room, bob, stream, 660, alice)
    await alice.remote_microphone(stream, "OPEN")

    await bob.mute_microphone(stream, True)
    await gather(alice.remote_microphone(stream, "MUTE"), alice.heard_silence(stream))
    await bob.mute_microphone(stream, False)
    await gather(alice.remote_microphone(stream, "OPEN"), alice.heard_tone(stream, 660))

    await bob.call("setStreamExtraInfo", stream, "on stage")
    _, streams = await alice.wait_event("streamExtraInfoUpdate", about="extra info")
    assert [(one["streamID"], one["extraInfo"]) for one in streams] == [(stream, "on stage")]

    if version in COUNTS_QUALITY:
        # The first report of 1.4.0 has nothing to compare with and says 0.
        for user, event in ((alice, "playQualityUpdate"), (bob, "publishQualityUpdate")):
            await user.wait_event(event, lambda name, quality: name == stream and quality["audio"]["audioBitrate"] > 0)
    if version == "2.26.2":
        # It also asks for the network's quality, and throws if the answer has no body.
        await bob.wait_frame("received", "CmdRsp")
    assert alice.page_errors == bob.page_errors == []


# 1.4.0 has no mutePlayStreamAudio.
@pytest.mark.parametrize("version", [version for version in (*WHOLE_CALL, NEWEST) if version != "1.4.0"])
async def test_listener_can_mute_a_stream_for_herself_and_gets_no_packets_then(
    hearth: HearthProcess, page: PageMaker, room: str, stream: str, version: str
) -> None:
    alice, bob, carol = await page(hearth, "alice", "bob", "carol", version=version)
    await on_the_air(room, bob, stream, 660, alice, carol)
    await alice.remote_microphone(stream, "OPEN")

    assert await alice.call("mutePlayStreamAudio", stream, True) is True
    await alice.hears_no_packets()
    await gather(alice.heard_silence(stream), carol.heard_tone(stream, 660))
    assert await alice.call("mutePlayStreamAudio", stream, False) is True
    await alice.heard_tone(stream, 660)


@with_either_dialect
async def test_stopped_stream_is_deleted_and_can_be_published_again(
    hearth: HearthProcess, page: PageMaker, room: str, stream: str, version: str
) -> None:
    alice, bob = await page(hearth, "alice", "bob", version=version)
    await on_the_air(room, bob, stream, 660, alice)
    await bob.stop_publishing(stream)
    await alice.sees_stream(room, stream, "DELETE")
    await alice.stop_playing(stream)

    await bob.publish_tone(stream, 990)
    await tune_in(room, alice, stream, 990)


@with_every_kind
async def test_log_out_and_a_closed_tab_take_the_stream_with_them(
    impatient_hearth: HearthProcess, page: PageMaker, room: str, stream: str, version: str
) -> None:
    alice, bob, carol = await page(impatient_hearth, "alice", "bob", "carol", version=version)
    of_bob, of_carol = f"{stream}-bob", f"{stream}-carol"
    await gather(*(user.login(room) for user in (alice, bob, carol)))
    await gather(bob.publish_tone(of_bob, 660), carol.publish_tone(of_carol, 880))
    await gather(tune_in(room, alice, of_bob, 660), tune_in(room, alice, of_carol, 880))

    await bob.logout(room)
    await gather(alice.sees_stream(room, of_bob, "DELETE"), alice.sees_user(room, bob.user_id, "DELETE"))
    await page.close(carol)
    await gather(alice.sees_stream(room, of_carol, "DELETE"), alice.sees_user(room, carol.user_id, "DELETE"))
    await gather(alice.heard_silence(of_bob), alice.heard_silence(of_carol))


@with_either_dialect
async def test_cut_room_socket_is_resumed_while_the_sound_goes_on(
    hearth: HearthProcess, page: PageMaker, room: str, stream: str, version: str
) -> None:
    alice, bob, carol = await page(hearth, "alice", "bob", "carol", version=version)
    await on_the_air(room, bob, stream, 660, alice)
    before = await alice.concealed()

    for user in (bob, alice):
        # The hub's is the only one.
        user.link.cut("/" if user.hub else "/ws", stay_down=True)
    await carol.login(room)
    await carol.publish_tone(f"{stream}-new", 880)
    for user in (bob, alice):
        user.link.restore()
    await gather(bob.connected(room), alice.connected(room))
    await gather(*(user.sees_user(room, carol.user_id) for user in (alice, bob)))
    await bob.sees_stream(room, f"{stream}-new")
    assert await alice.concealed() - before < LONGEST_GAP
    await tune_in(room, alice, f"{stream}-new", 880)
    await alice.heard_tone(stream, 660)

    # The media sessions hang on the sockets that there are now: a message from bob's reaches alice's.
    await bob.mute_microphone(stream, True)
    await alice.remote_microphone(stream, "MUTE")
    assert alice.stream_changes(stream) == ["ADD"]
    assert alice.user_changes(bob.user_id) == ["ADD"]
    assert bob.publisher_states(stream).count("PUBLISHING") == 1
    for user in (alice, bob):
        if not user.hub:
            assert len([one for one in user.sent(session_request(version)) if one["body"]["stream_id"] == stream]) == 1

    await bob.stop_publishing(stream)
    await alice.sees_stream(room, stream, "DELETE")


@with_every_kind
async def test_cut_media_socket_is_resumed_while_the_sound_goes_on(
    hearth: HearthProcess, page: PageMaker, room: str, stream: str, version: str
) -> None:
    alice, bob = await page(hearth, "alice", "bob", version=version)
    await on_the_air(room, bob, stream, 660, alice)
    await alice.remote_microphone(stream, "OPEN")
    before = await alice.concealed()

    for user in (alice, bob):
        assert user.link.cut("/media") == 1
        login = await user.wait_frame("sent", "LoginReq", lambda frame: frame["body"].get("sessions"))
        await user.wait_frame("received", "LoginRsp", lambda frame, login=login: frame["header"]["seq"] == login["header"]["seq"])  # type: ignore[misc]

    # The sessions hang on the new sockets: a message from bob's reaches alice's, and SDKs that count pushes take it at once.
    await bob.mute_microphone(stream, True)
    await alice.remote_microphone(stream, "MUTE")
    assert await alice.concealed() - before < LONGEST_GAP
    await bob.mute_microphone(stream, False)
    await gather(alice.remote_microphone(stream, "OPEN"), alice.heard_tone(stream, 660))
    for user in (alice, bob):
        assert len(user.sent(session_request(version))) == 1
        assert [state for state in user.states() if state != "CONNECTING"] == ["CONNECTED"]
    assert alice.stream_changes(stream) == ["ADD"]


@with_either_dialect
async def test_stream_id_in_use_is_refused_and_the_first_publisher_stays_audible(
    hearth: HearthProcess, page: PageMaker, room: str, stream: str, version: str
) -> None:
    alice, bob, rival = await page(hearth, "alice", "bob", "rival", version=version)
    await on_the_air(room, bob, stream, 660, alice)
    before = await alice.concealed()
    await rival.login(room)
    await rival.start_publishing_tone(stream, 880)
    refused = await rival.publisher_state(stream, "NO_PUBLISH")
    assert refused["errorCode"] != 0
    await alice.heard_tone(stream, 660)
    assert await alice.concealed() - before < LONGEST_GAP
    assert alice.stream_changes(stream) == ["ADD"]


@with_either_dialect
async def test_kicked_publisher_is_off_the_air_at_once(
    hearth: HearthProcess, page: PageMaker, room: str, stream: str, version: str
) -> None:
    alice, bob = await page(hearth, "alice", "bob", version=version)
    await on_the_air(room, bob, stream, 660, alice)
    await commands.kick(hearth, room, bob.user_id, "enough")
    _, _, code, extended = await bob.disconnected(room)
    if version == "1.4.0":  # which tells its app no reason
        assert code["code"] == KICKED_IN_1_4_0
    else:
        assert code == KICKED_BY_SERVER
        assert "enough" in str(extended)
    await gather(alice.sees_stream(room, stream, "DELETE"), alice.sees_user(room, bob.user_id, "DELETE"), alice.heard_silence(stream))


@with_every_kind
async def test_a_camera_beside_the_microphone_does_not_disturb_the_sound(
    hearth: HearthProcess, page: PageMaker, room: str, stream: str, version: str
) -> None:
    """An audio room takes the sound of whoever also sends pictures."""
    alice, bob = await page(hearth, "alice", "bob", version=version)
    await gather(alice.login(room), bob.login(room))
    await bob.publish_camera(stream)
    assert "m=video" in str(bob.sent(session_request(version)) + bob.sent("MediaDescReq"))
    await tune_in(room, alice, stream, MICROPHONE_TONE)


@with_every_kind
async def test_a_listener_who_stays_hears_the_next_life_of_a_stream(
    hearth: HearthProcess, page: PageMaker, room: str, stream: str, version: str
) -> None:
    """Its owner stops it and publishes it again; the listener's app does nothing and is told of no error."""
    alice, bob = await page(hearth, "alice", "bob", version=version)
    await on_the_air(room, bob, stream, 660, alice)
    await bob.stop_publishing(stream)
    await gather(alice.sees_stream(room, stream, "DELETE"), alice.heard_silence(stream))
    await bob.publish_tone(stream, 990)
    await gather(alice.sees_stream(room, stream), alice.heard_tone(stream, 990))
    assert {state["errorCode"] for (state,) in alice.history("playerStateUpdate")} == {0}
