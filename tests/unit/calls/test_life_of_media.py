"""When media ends, and what becomes of the stream in the room."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from calls.media_session import MediaEnd, MediaLogin
from calls.settings import CallSettings
from media.sfu import Lost
from rooms.errors import StoreUnavailable, StreamForbidden
from rooms.events import EndReason, ReservationEnded, StreamAdded, StreamEnd, StreamMuted, StreamRemoved, StreamUpdated
from rooms.model import Session, Stream, Verdict
from tests.unit.calls.fakes import APP_ID, THERE, FakePeer, House
from tests.waiting import until

GRACE = CallSettings().publisher_grace
SOCKET_GRACE = CallSettings().socket_grace


class Stage:
    """amy is on the air with stream ``s``, bob plays it; both are connected."""

    house: House
    amy: Session
    bob: Session
    login: MediaLogin
    listener: MediaLogin
    mouth: FakePeer
    ear: FakePeer
    publisher: int
    publisher_token: str
    player: int
    player_token: str

    @classmethod
    async def set(cls, settings: CallSettings | None = None) -> Stage:
        stage = cls()
        house = stage.house = House(settings=settings)
        stage.amy, stage.bob = house.rooms.enter("amy"), house.rooms.enter("bob")
        stage.login, stage.mouth = await house.media(stage.amy)
        stage.listener, stage.ear = await house.media(stage.bob)
        published = await house.calls.open_publisher(stage.login, "s", "offer")
        stage.publisher, stage.publisher_token = published.media_session_id, published.token
        house.calls.media_connected(stage.publisher)
        await house.calls.announce(stage.amy, "s", "")
        played = await house.calls.open_player(stage.listener, "s", "offer")
        stage.player, stage.player_token = played.media_session_id, played.token
        house.calls.media_connected(stage.player)
        house.calls.set_status(stage.login, stage.publisher, 0, 2)
        stage.mouth.told.clear()
        stage.ear.told.clear()
        return stage

    def on_air(self) -> bool:
        return (APP_ID, "s") in self.house.rooms.held

    def lose(self, session_id: int, reason: str = Lost.IDLE.value) -> None:
        """As the media plane does it: closed first, told then."""
        self.house.plane.close(session_id)
        self.house.calls.media_lost(session_id, reason)


async def test_a_publisher_whose_media_is_lost_stays_on_the_air_for_the_grace() -> None:
    stage = await Stage.set()
    stage.lose(stage.publisher)
    assert stage.mouth.told == [("closed", stage.publisher, MediaEnd.MEDIA_LOST)]
    await stage.house.tick(GRACE - 1)
    assert stage.on_air()
    await stage.house.tick(1)
    assert not stage.on_air()
    assert stage.house.rooms.ended == [("s", StreamEnd.MEDIA_LOST)]
    # The player keeps its place: the stream may come back.
    assert stage.player in stage.house.plane.open and not stage.ear.told


async def test_a_publisher_that_comes_back_within_the_grace_changes_nothing_in_the_room() -> None:
    stage = await Stage.set()
    stage.lose(stage.publisher)
    await stage.house.tick(GRACE - 1)
    again = await stage.house.calls.open_publisher(stage.login, "s", "offer")
    await stage.house.tick(GRACE * 3)
    assert stage.on_air() and not stage.house.rooms.ended
    assert again.media_session_id in stage.house.plane.open
    assert not stage.ear.told


async def test_a_client_that_closes_its_publisher_may_open_it_again() -> None:
    stage = await Stage.set()
    stage.house.calls.close_media(stage.login, stage.publisher)
    assert not stage.mouth.told
    await stage.house.tick(GRACE - 1)
    assert stage.on_air()
    await stage.house.tick(1)
    assert stage.house.rooms.ended == [("s", StreamEnd.STOPPED)]


async def test_the_owners_newer_session_takes_over_when_it_connects_without_a_word() -> None:
    stage = await Stage.set()
    newer = (await stage.house.calls.open_publisher(stage.login, "s", "offer")).media_session_id
    # Until the newer one is connected the older one feeds the stream.
    assert stage.publisher in stage.house.plane.open
    stage.house.calls.media_connected(newer)
    stage.lose(stage.publisher, Lost.REPLACED.value)
    assert stage.mouth.told == [("connected", newer)]
    assert not stage.ear.told
    await stage.house.tick(GRACE * 2)
    assert stage.on_air() and newer in stage.house.plane.open


async def test_a_newer_session_that_never_connects_leaves_the_older_one_on_the_air() -> None:
    stage = await Stage.set()
    newer = (await stage.house.calls.open_publisher(stage.login, "s", "offer")).media_session_id
    stage.lose(newer, Lost.NEVER_CONNECTED.value)
    await stage.house.tick(GRACE * 2)
    assert stage.on_air() and stage.publisher in stage.house.plane.open
    stage.lose(stage.publisher)
    await stage.house.tick(GRACE)
    assert not stage.on_air()


async def test_stopping_ends_the_publishers_media_at_once() -> None:
    stage = await Stage.set()
    await stage.house.calls.withdraw(stage.amy, "s")
    assert stage.publisher not in stage.house.plane.open
    assert stage.mouth.told == [("closed", stage.publisher, MediaEnd.STREAM_ENDED)]
    assert stage.player in stage.house.plane.open
    assert await stage.house.calls.withdraw(stage.amy, "s") is None


@pytest.mark.parametrize("question", ["stream", "unpublish"])
async def test_media_that_comes_and_goes_while_its_stream_is_withdrawn_has_a_new_grace(
    monkeypatch: pytest.MonkeyPatch, question: str
) -> None:
    stage = await Stage.set()
    stage.lose(stage.publisher)
    asked = getattr(stage.house.rooms, question)

    async def slowly(*arguments: object) -> object:
        answer = await asked(*arguments)
        monkeypatch.undo()
        stage.house.clock.forward(1)
        again = await stage.house.calls.open_publisher(stage.login, "s", "offer")
        await stage.house.calls.announce(stage.amy, "s", "")
        stage.lose(again.media_session_id)
        return answer

    monkeypatch.setattr(stage.house.rooms, question, slowly)
    await stage.house.tick(GRACE)
    assert stage.on_air()
    await stage.house.tick(GRACE - 1)
    assert stage.on_air()
    await stage.house.tick(1)
    assert not stage.on_air()


async def test_media_that_is_back_after_the_grace_puts_its_stream_on_the_air_again() -> None:
    """Its client does not know that it was off the air."""
    stage = await Stage.set()
    await stage.house.calls.update_announcement(stage.amy, "s", "on stage")
    stage.lose(stage.publisher)
    await stage.house.tick(GRACE)
    assert not stage.on_air()
    again = (await stage.house.calls.open_publisher(stage.login, "s", "offer")).media_session_id
    await stage.house.tick(1)
    assert not stage.house.rooms.held[APP_ID, "s"].on_air
    stage.house.calls.media_connected(again)
    await stage.house.tick(1)
    stream = stage.house.rooms.held[APP_ID, "s"]
    assert (stream.on_air, stream.extra_info) == (True, "on stage")


async def test_a_stream_withdrawn_while_it_is_announced_again_stays_off_the_air(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = await Stage.set()
    stage.lose(stage.publisher)
    await stage.house.tick(GRACE)
    again = (await stage.house.calls.open_publisher(stage.login, "s", "offer")).media_session_id
    stage.house.calls.media_connected(again)
    publish = stage.house.rooms.publish

    async def overtaken(session: Session, stream_id: str, extra_info: str) -> Stream:
        """The registry hears of the withdrawal first."""
        await stage.house.calls.withdraw(stage.amy, "s")
        return await publish(session, stream_id, extra_info)

    monkeypatch.setattr(stage.house.rooms, "publish", overtaken)
    await stage.house.tick(1)
    assert not stage.on_air() and not stage.house.calls.has_media(stage.login)


@pytest.mark.parametrize("newer", ["stopped", "too late", "another owner"])
async def test_an_old_announcement_does_not_count_any_more(newer: str) -> None:
    stage = await Stage.set()
    stage.lose(stage.publisher)
    await stage.house.tick(GRACE)
    login = stage.login
    if newer == "stopped":
        await stage.house.calls.withdraw(stage.amy, "s")
    elif newer == "too late":
        await stage.house.tick(CallSettings().announcement_memory)
    else:
        login = stage.listener
    again = (await stage.house.calls.open_publisher(login, "s", "offer")).media_session_id
    stage.house.calls.media_connected(again)
    await stage.house.tick(1)
    assert not stage.house.rooms.held[APP_ID, "s"].on_air


async def test_players_hear_a_stream_that_is_published_again() -> None:
    stage = await Stage.set()
    await stage.house.calls.withdraw(stage.amy, "s")
    await stage.house.tick(600_000)
    login, _ = await stage.house.media(stage.amy)
    again = (await stage.house.calls.open_publisher(login, "s", "offer")).media_session_id
    assert {name for _, name in stage.house.plane.open.values()} == {stage.house.name("s")}
    stage.house.calls.media_connected(again)
    stage.house.calls.set_status(login, again, 2, 2)
    assert stage.ear.told == [("status", stage.player, 2, 2)]


@pytest.mark.parametrize(
    ("reason", "end"),
    [
        (EndReason.KICKED, MediaEnd.KICKED),
        (EndReason.REPLACED, MediaEnd.KICKED),
        (EndReason.ROOM_CLOSED, MediaEnd.KICKED),
        (EndReason.TOKEN_EXPIRED, MediaEnd.KICKED),
        (EndReason.LOGOUT, MediaEnd.LEFT),
        (EndReason.TIMEOUT, MediaEnd.SESSION_LOST),
        (EndReason.LOST, MediaEnd.SESSION_LOST),
    ],
)
async def test_who_leaves_the_room_has_no_media_from_that_moment(reason: EndReason, end: MediaEnd) -> None:
    stage = await Stage.set()
    stage.house.rooms.gone(stage.bob, reason)
    assert set(stage.house.plane.open) == {stage.publisher}
    assert stage.ear.told == [("closed", stage.player, end)]
    assert not stage.mouth.told
    # amy's stream is taken off the air by the room, in the same step as her session.
    stage.house.rooms.gone(stage.amy, reason)
    assert stage.mouth.told == [("closed", stage.publisher, end)]
    assert not stage.house.plane.open and not stage.house.rooms.watchers and not stage.house.calls._live.streams()
    await stage.house.tick(GRACE)
    assert not stage.house.rooms.ended


async def test_every_reason_to_leave_has_its_end() -> None:
    for reason in EndReason:
        stage = await Stage.set()
        stage.house.rooms.gone(stage.bob, reason)
        assert stage.player not in stage.house.plane.open


async def test_leaving_ends_media_at_once_and_the_whole_login_ends_all_its_rooms() -> None:
    stage = await Stage.set()
    house = stage.house
    second = house.rooms.enter("amy", "r2", login_id=stage.amy.login_id)
    login, _ = await house.media(second)
    other_room = (await house.calls.open_player(login, "s", "offer")).media_session_id
    await house.calls.leave(second, whole_login=False)
    assert set(house.plane.open) == {stage.publisher, stage.player}

    third = house.rooms.enter("amy", "r3", login_id=stage.amy.login_id)
    login, _ = await house.media(third)
    await house.calls.open_player(login, "s", "offer")
    await house.calls.leave(stage.amy, whole_login=True)
    assert set(house.plane.open) == {stage.player}
    assert other_room not in house.plane.open


async def test_leaving_ends_media_even_when_the_registry_does_not_hear_of_it_yet() -> None:
    stage = await Stage.set()
    second = stage.house.rooms.enter("amy", "r2", login_id=stage.amy.login_id)
    login, _ = await stage.house.media(second)
    await stage.house.calls.open_player(login, "s", "offer")
    stage.house.rooms.down = True
    await stage.house.calls.leave(stage.amy, whole_login=True)
    assert set(stage.house.plane.open) == {stage.player}


async def test_an_operator_takes_a_stream_off_the_air() -> None:
    stage = await Stage.set()
    stream = stage.house.rooms.held.pop((APP_ID, "s"))
    stage.house.rooms.emit(APP_ID, "r", StreamRemoved(rev=9, stream=stream, reason=StreamEnd.REMOVED))
    assert stage.mouth.told == [("closed", stage.publisher, MediaEnd.STREAM_REMOVED)]
    assert set(stage.house.plane.open) == {stage.player}


async def test_a_reservation_that_runs_out_ends_its_media() -> None:
    house = House()
    amy = house.rooms.enter("amy")
    login, peer = await house.media(amy)
    media = (await house.calls.open_publisher(login, "s", "offer")).media_session_id
    stream = house.rooms.held.pop((APP_ID, "s"))
    house.rooms.emit(APP_ID, "r", ReservationEnded(rev=9, stream=stream))
    assert peer.told == [("closed", media, MediaEnd.RESERVATION_ENDED)]
    assert not house.plane.open


async def test_a_late_event_of_an_earlier_life_of_the_stream_ends_nothing() -> None:
    stage = await Stage.set()
    earlier = stage.house.rooms.held[APP_ID, "s"]
    await stage.house.calls.withdraw(stage.amy, "s")
    again = (await stage.house.calls.open_publisher(stage.login, "s", "offer")).media_session_id
    stage.house.rooms.emit(APP_ID, "r", StreamRemoved(rev=9, stream=earlier, reason=StreamEnd.STOPPED))
    assert again in stage.house.plane.open


async def test_a_late_event_of_an_earlier_life_elsewhere_moves_nobody() -> None:
    stage = await Stage.set()
    await stage.house.calls.withdraw(stage.amy, "s")
    elsewhere = stage.house.rooms._stream(stage.amy, "s", THERE.node_id, on_air=True)
    del stage.house.rooms.held[APP_ID, "s"]
    again = (await stage.house.calls.open_publisher(stage.login, "s", "offer")).media_session_id
    stage.house.rooms.emit(APP_ID, "r", StreamAdded(rev=9, stream=elsewhere))
    assert set(stage.house.plane.open) == {again, stage.player}


async def test_a_stream_that_moves_to_another_node_takes_its_players_along() -> None:
    stage = await Stage.set()
    moved = stage.house.rooms._stream(stage.amy, "s", THERE.node_id, on_air=True)
    stage.house.rooms.emit(APP_ID, "r", StreamUpdated(rev=9, stream=moved))
    assert not stage.house.plane.open
    assert stage.ear.told == [("closed", stage.player, MediaEnd.STREAM_MOVED)]
    # Its owner has done that: nothing to tell her.
    assert not stage.mouth.told
    await stage.house.tick(GRACE)
    assert stage.on_air()


async def test_a_player_that_waits_here_is_sent_to_the_node_where_the_stream_returns() -> None:
    stage = await Stage.set()
    await stage.house.calls.withdraw(stage.amy, "s")
    stream = stage.house.rooms._stream(stage.amy, "s", THERE.node_id, on_air=True)
    stage.house.rooms.emit(APP_ID, "r", StreamAdded(rev=9, stream=stream))
    assert stage.ear.told == [("closed", stage.player, MediaEnd.STREAM_MOVED)]


async def test_a_waiting_player_is_found_even_if_the_stream_returns_in_another_room() -> None:
    stage = await Stage.set()
    await stage.house.calls.withdraw(stage.amy, "s")
    carol = stage.house.rooms.enter("carol", "another room")
    stage.house.rooms._stream(carol, "s", THERE.node_id, on_air=True)
    await stage.house.tick(CallSettings().stray_player_check)
    assert stage.ear.told == [("closed", stage.player, MediaEnd.STREAM_MOVED)]


async def test_the_grace_does_not_take_away_what_its_owner_publishes_on_another_node() -> None:
    stage = await Stage.set()
    stage.lose(stage.publisher)
    # A reservation moves without an event.
    stage.house.rooms._stream(stage.amy, "s", THERE.node_id, on_air=True)
    await stage.house.tick(GRACE)
    assert stage.on_air() and not stage.house.rooms.ended


async def test_the_grace_does_not_take_away_what_somebody_else_publishes_now() -> None:
    stage = await Stage.set()
    stage.lose(stage.publisher)
    await stage.house.rooms.unpublish(stage.amy, "s")
    await stage.house.rooms.publish(stage.bob, "s", "")
    await stage.house.tick(GRACE)
    assert stage.on_air()


async def test_a_registry_that_is_down_delays_the_end_of_a_stream() -> None:
    stage = await Stage.set()
    stage.lose(stage.publisher)
    stage.house.rooms.down = True
    await stage.house.tick(GRACE)
    assert stage.on_air()
    stage.house.rooms.down = False
    await stage.house.tick(1)
    assert not stage.on_air()


async def test_media_lives_on_without_its_socket_and_is_claimed_by_the_next_one() -> None:
    stage = await Stage.set()
    house = stage.house
    house.calls.media_socket_lost(stage.listener)
    await house.tick(SOCKET_GRACE - 1)
    assert stage.player in house.plane.open
    house.calls.set_status(stage.login, stage.publisher, 2, 2)
    assert not stage.ear.told
    back, ear = await house.media(stage.bob, (stage.player, stage.player_token), (77, "gone"))
    assert back.resumed == (stage.player,) and back.unknown == (77,)
    assert not ear.told
    house.calls.catch_up(back)
    assert ear.told == [("status", stage.player, 2, 2)]
    await house.tick(SOCKET_GRACE * 2)
    assert stage.player in house.plane.open


async def test_a_session_that_connects_without_a_socket_is_reported_to_the_next_one() -> None:
    house = House()
    amy = house.rooms.enter("amy")
    login, _ = await house.media(amy)
    opened = await house.calls.open_publisher(login, "s", "offer")
    house.calls.media_socket_lost(login)
    house.calls.media_connected(opened.media_session_id)
    back, peer = await house.media(amy, (opened.media_session_id, opened.token))
    house.calls.catch_up(back)
    house.calls.catch_up(back)
    assert peer.told == [("connected", opened.media_session_id)]


async def test_the_old_sockets_end_does_not_touch_sessions_that_moved_to_the_new_one() -> None:
    stage = await Stage.set()
    _, peer = await stage.house.media(stage.amy, (stage.publisher, stage.publisher_token))
    stage.house.calls.media_socket_lost(stage.login)
    await stage.house.tick(SOCKET_GRACE * 2)
    assert stage.publisher in stage.house.plane.open and stage.on_air()
    stage.lose(stage.publisher)
    assert peer.told == [("closed", stage.publisher, MediaEnd.MEDIA_LOST)]
    assert not stage.mouth.told


async def test_a_client_that_never_comes_back_ends_with_the_socket_grace() -> None:
    stage = await Stage.set()
    stage.house.calls.media_socket_lost(stage.login)
    stage.house.calls.media_socket_lost(stage.listener)
    await stage.house.tick(SOCKET_GRACE)
    assert not stage.house.plane.open
    assert stage.house.rooms.ended == [("s", StreamEnd.MEDIA_LOST)]
    assert not stage.house.rooms.watchers and not stage.house.calls._live.streams()


async def test_lost_events_are_made_good_by_asking_the_registry() -> None:
    stage = await Stage.set()
    rooms = stage.house.rooms
    watchers = rooms.watchers[APP_ID, "r"]
    del rooms.sessions[APP_ID, stage.bob.session_id]
    del rooms.held[APP_ID, "s"]
    for watcher in watchers:
        watcher.resync()
    rooms.down = True
    await stage.house.tick()
    assert not stage.ear.told
    rooms.down = False
    await stage.house.tick()
    assert stage.ear.told == [("closed", stage.player, MediaEnd.SESSION_LOST)]
    assert stage.mouth.told == [("closed", stage.publisher, MediaEnd.STREAM_LOST)]


async def test_a_node_that_was_thought_lost_keeps_the_media_of_streams_that_are_back() -> None:
    stage = await Stage.set()
    stream = stage.house.rooms.held[APP_ID, "s"]
    stage.house.rooms.emit(APP_ID, "r", StreamRemoved(rev=9, stream=stream, reason=StreamEnd.NODE_LOST))
    await stage.house.tick()
    assert stage.publisher in stage.house.plane.open
    del stage.house.rooms.held[APP_ID, "s"]
    stage.house.rooms.emit(APP_ID, "r", StreamRemoved(rev=9, stream=stream, reason=StreamEnd.NODE_LOST))
    await stage.house.tick()
    assert stage.mouth.told == [("closed", stage.publisher, MediaEnd.STREAM_LOST)]


async def test_a_media_socket_comes_back_while_the_registry_is_down() -> None:
    stage = await Stage.set()
    stage.house.calls.media_socket_lost(stage.login)
    stage.house.rooms.down = True
    back, _ = await stage.house.media(stage.amy, (stage.publisher, stage.publisher_token))
    assert back.resumed == (stage.publisher,)
    carol = stage.house.rooms.enter("carol")
    with pytest.raises(StoreUnavailable):
        await stage.house.media(carol)


async def test_nothing_ends_when_events_were_lost_but_nothing_changed() -> None:
    stage = await Stage.set()
    for watcher in stage.house.rooms.watchers[APP_ID, "r"]:
        watcher.resync()
    stage.house.rooms.down = True
    await stage.house.tick()
    stage.house.rooms.down = False
    await stage.house.tick()
    assert len(stage.house.plane.open) == 2 and not stage.ear.told and not stage.mouth.told


async def test_a_node_that_stops_sends_its_clients_elsewhere() -> None:
    stage = await Stage.set()
    stage.house.calls.aclose()
    assert not stage.house.plane.open
    assert stage.mouth.told == [("closed", stage.publisher, MediaEnd.NODE_STOPPED)]
    assert stage.ear.told == [("closed", stage.player, MediaEnd.NODE_STOPPED)]


async def test_reports_about_sessions_that_are_over_are_ignored() -> None:
    stage = await Stage.set()
    stage.lose(4711)
    stage.house.calls.media_connected(4711)
    assert not stage.mouth.told and not stage.ear.told


async def test_the_loop_keeps_deadlines_even_after_a_bad_round() -> None:
    stage = await Stage.set(CallSettings(tick=1, publisher_grace=0))
    calls = stage.house.calls
    rounds = 0
    once = calls.tick

    async def stumble(now: int) -> None:
        nonlocal rounds
        rounds += 1
        if rounds == 1:
            raise RuntimeError("bad round")
        await once(now)

    calls.tick = stumble  # type: ignore[method-assign]
    running = asyncio.create_task(calls.run())
    stage.lose(stage.publisher)
    await until(lambda: not stage.on_air())
    running.cancel()


async def test_on_a_draining_node_a_publisher_goes_where_its_user_has_gone_and_players_follow() -> None:
    stage = await Stage.set()
    house = stage.house
    house.calls.begin_drain()
    await house.tick(1000)
    assert stage.mouth.told == [], "its user is still here"
    house.rooms.sessions[APP_ID, stage.amy.session_id] = msgspec.structs.replace(stage.amy, node_id=THERE.node_id)
    await house.tick(1000)
    assert stage.mouth.told == [("closed", stage.publisher, MediaEnd.NODE_STOPPED)]
    assert stage.on_air() and stage.ear.told == []
    house.rooms.elsewhere(stage.amy, "s")
    assert stage.ear.told == [("closed", stage.player, MediaEnd.STREAM_MOVED)]


async def test_a_node_that_does_not_drain_keeps_the_media_of_users_on_other_nodes() -> None:
    stage = await Stage.set()
    stage.house.rooms.sessions[APP_ID, stage.amy.session_id] = msgspec.structs.replace(stage.amy, node_id=THERE.node_id)
    await stage.house.tick(1000)
    assert stage.mouth.told == []


def _forbidden(stage: Stage) -> StreamRemoved:
    stream = stage.house.rooms.held.pop((APP_ID, "s"))
    return StreamRemoved(rev=1, stream=stream, reason=StreamEnd.FORBIDDEN)


async def test_a_forbidden_stream_ends_for_its_publisher_and_its_players() -> None:
    stage = await Stage.set()
    stage.house.rooms.emit(APP_ID, "r", _forbidden(stage))
    assert stage.mouth.told == [("closed", stage.publisher, MediaEnd.STREAM_FORBIDDEN)]
    assert stage.ear.told == [("closed", stage.player, MediaEnd.STREAM_FORBIDDEN)]
    stage.house.rooms.verdicts["s"] = Verdict(forbidden=True)
    with pytest.raises(StreamForbidden):
        await stage.house.calls.open_player(stage.listener, "s", "offer")


async def test_delisting_a_stream_does_not_touch_its_media() -> None:
    stage = await Stage.set()
    stream = stage.house.rooms.held[APP_ID, "s"]
    stage.house.rooms.emit(APP_ID, "r", StreamRemoved(rev=1, stream=stream, reason=StreamEnd.DELISTED))
    assert stage.mouth.told == [] and stage.ear.told == []


async def test_a_muted_stream_is_silent_until_the_mute_runs_out() -> None:
    stage = await Stage.set()
    until = stage.house.clock() + 10_000
    stage.house.rooms.emit(APP_ID, "r", StreamMuted(rev=1, stream_id="s", audio_until=until, video_until=0))
    assert stage.house.plane.forwarding[stage.player] is False
    stage.house.calls.set_audio_active(stage.listener, stage.player, True)
    assert stage.house.plane.forwarding[stage.player] is False, "a player cannot lift it"
    await stage.house.tick(9_999)
    assert stage.house.plane.forwarding[stage.player] is False
    await stage.house.tick(1)
    assert stage.house.plane.forwarding[stage.player] is True


async def test_lifting_a_mute_leaves_alone_who_has_muted_the_stream_for_himself() -> None:
    stage = await Stage.set()
    stage.house.calls.set_audio_active(stage.listener, stage.player, False)
    stage.house.rooms.emit(APP_ID, "r", StreamMuted(rev=1, stream_id="s", audio_until=stage.house.clock() + 1000, video_until=0))
    stage.house.rooms.emit(APP_ID, "r", StreamMuted(rev=2, stream_id="s", audio_until=0, video_until=0))
    assert stage.house.plane.forwarding[stage.player] is False
    stage.house.calls.set_audio_active(stage.listener, stage.player, True)
    assert stage.house.plane.forwarding[stage.player] is True


async def test_who_begins_to_play_a_muted_stream_hears_nothing_either() -> None:
    stage = await Stage.set()
    until = stage.house.clock() + 1000
    stage.house.rooms.verdicts["s"] = Verdict(audio_muted_until=until)
    stage.house.rooms.emit(APP_ID, "r", StreamMuted(rev=1, stream_id="s", audio_until=until, video_until=0))
    late, _ = await stage.house.media(stage.house.rooms.enter("cleo"))
    opened = await stage.house.calls.open_player(late, "s", "offer")
    assert stage.house.plane.forwarding[opened.media_session_id] is False


async def test_a_stream_that_was_muted_before_it_began_is_silent() -> None:
    house = House()
    house.rooms.verdicts["s"] = Verdict(audio_muted_until=house.clock() + 1000)
    speaker, _ = await house.media(house.rooms.enter("amy"))
    listener, _ = await house.media(house.rooms.enter("bob"))
    await house.calls.open_publisher(speaker, "s", "offer")
    opened = await house.calls.open_player(listener, "s", "offer")
    assert house.plane.forwarding[opened.media_session_id] is False
    await house.tick(1000)
    assert house.plane.forwarding[opened.media_session_id] is True


async def test_a_mute_in_another_room_is_about_another_stream() -> None:
    stage = await Stage.set()
    late, _ = await stage.house.media(stage.house.rooms.enter("cleo", "elsewhere"))
    await stage.house.calls.open_player(late, "s", "offer")
    stage.house.rooms.emit(APP_ID, "elsewhere", StreamMuted(rev=1, stream_id="s", audio_until=stage.house.clock() + 1000, video_until=0))
    assert stage.house.plane.forwarding.get(stage.player) is not False
