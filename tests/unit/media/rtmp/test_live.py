"""The hub of live streams: what players of every kind get, and when."""

from __future__ import annotations

import pytest

from media.errors import MediaFull, StreamInUse
from media.flv import Tag, TagKind, aac_config_tag, aac_frame_tag
from media.rtmp.live import GATHER_MS, Feed, Gathered, LiveHub, LiveStream

CONFIG = aac_config_tag(b"\x12\x10")
AVC_CONFIG = Tag(TagKind.VIDEO, 0, b"\x17\x00\0\0\0config")
METADATA = Tag(TagKind.DATA, 0, b"\x02\x00\x0aonMetaData")


def key_frame(timestamp: int) -> Tag:
    return Tag(TagKind.VIDEO, timestamp, b"\x17\x01\0\0\0key")


def delta_frame(timestamp: int) -> Tag:
    return Tag(TagKind.VIDEO, timestamp, b"\x27\x01\0\0\0delta")


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000

    def __call__(self) -> int:
        return self.now


class Listener:
    def __init__(self) -> None:
        self.told: list[str] = []

    def first_player(self, stream: LiveStream) -> None:
        self.told.append(f"wanted {stream.name}")

    def last_player_gone(self, stream: LiveStream) -> None:
        self.told.append(f"unwanted {stream.name}")

    def publisher_began(self, stream: LiveStream) -> None:
        self.told.append(f"fed {stream.name}")

    def publisher_ended(self, stream: LiveStream) -> None:
        self.told.append(f"unfed {stream.name}")


class Publisher:
    def __init__(self) -> None:
        self.was_replaced = False

    def replaced(self) -> None:
        self.was_replaced = True


class Player:
    def __init__(self) -> None:
        self.got: list[Tag] = []
        self.states: list[str] = []

    def message(self, tag: Tag) -> None:
        self.got.append(tag)

    def began(self) -> None:
        self.states.append("began")

    def ended(self) -> None:
        self.states.append("ended")


class PatientPlayer(Player):
    def __init__(self) -> None:
        super().__init__()
        self.turns: list[int] = []
        """How many messages came together, each time."""

    def message(self, tag: Tag) -> None:
        super().message(tag)
        self.turns.append(1)

    def gathered(self, messages: Gathered) -> None:
        self.got += messages.tags
        self.turns.append(len(messages.tags))


class House:
    def __init__(self, **limits: int) -> None:
        self.clock = Clock()
        self.hub = LiveHub(self.clock, **limits)
        self.listener = Listener()
        self.hub.listen(self.listener)

    def publish(self, *tags: Tag) -> Feed:
        feed = self.hub.publish("a", Publisher())
        for tag in tags:
            feed.message(tag)
        return feed

    def play(self) -> Player:
        player = Player()
        self.hub.attach("a", player)
        return player

    def play_patiently(self) -> PatientPlayer:
        player = PatientPlayer()
        self.hub.attach_patient("a", player)
        return player


@pytest.fixture
def house() -> House:
    return House()


def test_a_late_player_gets_the_configurations_sound_at_once_and_pictures_from_a_key_frame_on(house: House) -> None:
    feed = house.publish(METADATA, CONFIG, AVC_CONFIG, key_frame(10), aac_frame_tag(b"1", 20))
    player = house.play()
    rest = [delta_frame(30), aac_frame_tag(b"2", 40), key_frame(50), delta_frame(60)]
    for tag in rest:
        feed.message(tag)
    assert player.got == [METADATA, CONFIG.at(20), AVC_CONFIG.at(20), *rest[1:]]
    assert player.states == ["began"]


def test_all_players_of_a_stream_share_one_message(house: House) -> None:
    feed = house.publish()
    players = [house.play() for _ in range(3)]
    feed.message(tag := aac_frame_tag(b"x", 5))
    assert all(player.got == [tag] and player.got[0] is tag for player in players)


def test_a_new_publisher_goes_on_where_the_former_stopped(house: House) -> None:
    player = house.play()
    feed = house.publish(CONFIG, aac_frame_tag(b"1", 700))
    feed.end()
    house.clock.now += 3_000
    house.publish(CONFIG, aac_frame_tag(b"2", 23))
    assert [tag.timestamp for tag in player.got] == [0, 700, 3_700, 3_723]
    assert player.states == ["began", "ended", "began"]


def test_pictures_of_a_new_publisher_begin_with_a_key_frame_for_everybody(house: House) -> None:
    player = house.play()
    house.publish(AVC_CONFIG, key_frame(0)).end()
    house.publish(delta_frame(0), key_frame(40))
    assert [tag.body[:1] for tag in player.got] == [b"\x17", b"\x17", b"\x17"]


def test_a_player_that_lost_messages_begins_anew(house: House) -> None:
    feed = house.publish(CONFIG, AVC_CONFIG, key_frame(0))
    player = house.play()
    feed.message(key_frame(10))
    player.got.clear()
    stream = house.hub.stream("a")
    assert stream is not None
    stream.restart(player)
    feed.message(delta_frame(20))
    feed.message(key_frame(30))
    assert player.got == [CONFIG.at(10), AVC_CONFIG.at(10), key_frame(30)]


def test_a_stream_has_one_publisher_unless_the_next_is_to_take_over(house: House) -> None:
    first = Publisher()
    feed = house.hub.publish("a", first)
    player = house.play()
    with pytest.raises(StreamInUse):
        house.hub.publish("a", Publisher())
    assert not first.was_replaced
    house.hub.publish("a", Publisher(), take_over=True)
    feed.message(CONFIG)
    feed.end()
    assert first.was_replaced and player.got == [] and player.states == ["began", "began"] and house.hub.publishers == 1


def test_listeners_learn_who_feeds_and_who_wants_a_stream_and_an_empty_one_is_forgotten(house: House) -> None:
    first, second = house.play(), house.play()
    feed = house.publish()
    house.hub.detach("a", first)
    feed.end()
    house.hub.detach("a", second)
    house.hub.detach("a", second)
    assert house.listener.told == ["wanted a", "fed a", "unfed a", "unwanted a"]
    assert list(house.hub.streams()) == [] and house.hub.publishers == house.hub.players == 0


def test_a_player_may_leave_while_it_is_given_a_message(house: House) -> None:
    class Leaver(Player):
        def message(self, tag: Tag) -> None:
            super().message(tag)
            house.hub.detach("a", self)

    feed = house.publish()
    leaver = Leaver()
    house.hub.attach("a", leaver)
    stayer = house.play()
    for time in (1, 2):
        feed.message(aac_frame_tag(b"x", time))
    assert len(leaver.got) == 1 and len(stayer.got) == 2


def test_the_limits_of_a_node_refuse_publishers_and_players() -> None:
    house = House(max_streams=1, max_players=1)
    house.publish()
    house.play()
    with pytest.raises(MediaFull):
        house.hub.publish("b", Publisher())
    with pytest.raises(MediaFull):
        house.play()


@pytest.mark.parametrize("body", [b"", b"\xaf", b"\x17", b"\x90hv", b"\xff\xff"])
def test_a_message_that_is_cut_short_hurts_nobody(house: House, body: bytes) -> None:
    feed = house.publish()
    house.play()
    for kind in TagKind:
        feed.message(Tag(kind, 0, body))


# --- crowds


def frames(count: int, apart: int = 21) -> list[Tag]:
    return [aac_frame_tag(bytes((number,)), apart * number) for number in range(count)]


def test_a_crowd_gets_sound_in_twos_and_who_cannot_wait_at_once() -> None:
    house = House(crowd=2)
    prompt, crowd = house.play(), [house.play_patiently() for _ in range(2)]
    feed = house.publish(CONFIG)
    sent = frames(5)
    for number, tag in enumerate(sent, 1):
        feed.message(tag)
        assert prompt.got == [CONFIG, *sent[:number]]
        assert all(player.got == [CONFIG, *sent[: number // 2 * 2]] for player in crowd)
    assert all(player.turns == [1, 2, 2] for player in crowd)


def test_what_a_crowd_gets_together_is_made_once() -> None:
    house = House(crowd=2)
    seen: list[Gathered] = []

    class Keeper(PatientPlayer):
        def gathered(self, messages: Gathered) -> None:
            seen.append(messages)

    for _ in range(2):
        house.hub.attach_patient("a", Keeper())
    house.publish(CONFIG, *frames(2))
    assert seen[0] is seen[1]


def test_few_patient_players_get_each_message_at_once() -> None:
    house = House(crowd=3)
    player, _ = house.play_patiently(), house.play_patiently()
    house.publish(*frames(3))
    assert player.turns == [1, 1, 1]


def test_sound_that_comes_seldom_is_not_gathered() -> None:
    house = House(crowd=1)
    player = house.play_patiently()
    house.publish(*frames(4, GATHER_MS + 1))
    assert player.turns == [1, 1, 1, 1]


@pytest.mark.parametrize("next_one", [key_frame(30), METADATA], ids=["picture", "metadata"])
def test_sound_does_not_wait_behind_something_else(next_one: Tag) -> None:
    house = House(crowd=1)
    player = house.play_patiently()
    (sound,) = frames(1)
    house.publish(CONFIG, sound, next_one)
    assert player.got == [CONFIG, sound, next_one]


def test_sound_that_waits_is_given_when_the_publisher_ends_or_is_replaced() -> None:
    house = House(crowd=1)
    player = house.play_patiently()
    (sound,) = frames(1)
    feed = house.publish(CONFIG, sound)
    assert player.got == [CONFIG]
    feed.end()
    assert player.got == [CONFIG, sound]
    house.publish(CONFIG, *frames(2))
    assert len(player.got) == 4
    house.hub.publish("a", Publisher(), take_over=True)
    assert len(player.got) == 5


def test_a_crowd_that_shrinks_loses_nothing() -> None:
    house = House(crowd=2)
    stays, leaves = house.play_patiently(), house.play_patiently()
    feed = house.publish(*(sent := [CONFIG, *frames(4)])[:4])
    house.hub.detach("a", leaves)
    feed.message(sent[4])
    assert stays.got == sent and leaves.got == sent[:3]
    assert house.hub.players == 1
