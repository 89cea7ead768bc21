"""How media sessions begin and end: limits, refusals, time-outs."""

from __future__ import annotations

import random
import socket

import pytest

from media.config import MediaConfig
from media.errors import MediaFull, SdpRefused, SessionInUse
from media.sfu import Lost, Sfu
from tests.integration.media.aiortc_clients import Recorder, Tone, clients, epoch_ms, running_sfu
from tests.unit.media import offers
from tests.waiting import until

NOW = 1_800_000_000_000


class ShiftedClock:
    """The real clock plus what a test adds."""

    def __init__(self) -> None:
        self.shift = 0

    def __call__(self) -> int:
        return epoch_ms() + self.shift


class StoppedClock(ShiftedClock):
    """Only what a test adds."""

    def __call__(self) -> int:
        return NOW + self.shift


async def test_a_refused_offer_leaves_nothing_open() -> None:
    async with running_sfu(Recorder()) as sfu:
        with pytest.raises(SdpRefused):
            await sfu.open_publisher(1, "1/a", "v=0\r\n")
        with pytest.raises(SdpRefused):
            await sfu.open_player(1, "1/a", offers.publish_offer())
        assert (sfu.totals().publishers, sfu.totals().players) == (0, 0)
        await sfu.open_publisher(1, "1/a", offers.publish_offer())


async def test_publishers_and_players_are_limited_each() -> None:
    async with running_sfu(Recorder(), max_streams=1, max_players=2) as sfu:
        await sfu.open_publisher(1, "1/a", offers.publish_offer())
        with pytest.raises(MediaFull):
            await sfu.open_publisher(2, "1/b", offers.publish_offer())
        await sfu.open_player(3, "1/a", offers.play_offer())
        await sfu.open_player(4, "1/a", offers.play_offer())
        with pytest.raises(MediaFull):
            await sfu.open_player(5, "1/a", offers.play_offer())
        sfu.close(3)
        await sfu.open_player(5, "1/a", offers.play_offer())


async def test_a_session_id_is_used_once() -> None:
    async with running_sfu(Recorder()) as sfu:
        await sfu.open_publisher(1, "1/a", offers.publish_offer())
        with pytest.raises(SessionInUse):
            await sfu.open_player(1, "1/a", offers.play_offer())
        sfu.close(1)
        sfu.close(1)
        await sfu.open_player(1, "1/a", offers.play_offer())


async def test_players_of_a_stream_are_told_the_same_media_stream() -> None:
    async with running_sfu(Recorder()) as sfu:
        answers = [await sfu.open_player(number, "1/a", offers.play_offer()) for number in (1, 2)]
        other = await sfu.open_player(3, "1/b", offers.play_offer())
        msids = [next(line for line in text.split("\r\n") if line.startswith("a=msid:")) for text in (*answers, other)]
        assert msids[0] == msids[1] != msids[2]
        assert len({line for text in answers for line in text.split("\r\n") if line.startswith("a=ice-pwd")}) == 2


async def test_the_answer_holds_the_announced_addresses() -> None:
    async with running_sfu(Recorder(), public_ips=("203.0.113.5",)) as sfu:
        text = await sfu.open_player(1, "1/a", offers.play_offer())
        assert f"a=candidate:1 1 udp 2130706175 203.0.113.5 {sfu.port} typ host\r\n" in text
        assert sfu.candidates == [f"candidate:1 1 udp 2130706175 203.0.113.5 {sfu.port} typ host"]


@pytest.mark.parametrize("public_ips", [(), ("localhost",)])
async def test_a_host_name_is_announced_as_its_address(public_ips: tuple[str, ...]) -> None:
    async with running_sfu(Recorder(), host="localhost", public_ips=public_ips) as sfu:
        assert f" 127.0.0.1 {sfu.port} typ host" in await sfu.open_player(1, "1/a", offers.play_offer())


async def test_without_announced_addresses_the_machines_own_are_told() -> None:
    async with running_sfu(Recorder(), host="0.0.0.0") as sfu:
        assert any(" 127.0.0.1 " in candidate for candidate in sfu.candidates)


async def test_a_client_that_never_comes_is_lost() -> None:
    recorder, clock = Recorder(), ShiftedClock()
    sfu = Sfu(MediaConfig(host="127.0.0.1", udp_port=0), recorder, clock=clock, rng=random.Random(1))
    await sfu.start()
    await sfu.open_publisher(1, "1/a", offers.publish_offer())
    sfu.tick(clock())
    assert recorder.lost == []
    clock.shift = 30_001
    sfu.tick(clock())
    assert recorder.lost == [(1, Lost.NEVER_CONNECTED)]
    assert sfu.totals().lost == {"never_connected": 1}
    await sfu.aclose()


async def test_a_client_that_falls_silent_is_lost() -> None:
    recorder, clock = Recorder(), StoppedClock()
    sfu = Sfu(MediaConfig(host="127.0.0.1", udp_port=0, stun_delay_ms=0), recorder, clock=clock, rng=random.Random(1))
    await sfu.start()
    async with clients(sfu, 1) as (bob,):
        await bob.play("1/a")
        await until(lambda: recorder.connected == [1])
        clock.shift = 15_000
        sfu.tick(clock())
        assert recorder.lost == []
        clock.shift = 17_000
        sfu.tick(clock())
        assert recorder.lost == [(1, Lost.IDLE)]
    await sfu.aclose()


async def test_a_client_with_another_certificate_than_it_announced_is_lost() -> None:
    recorder = Recorder()
    async with running_sfu(recorder) as sfu, clients(sfu, 1) as (alice,):
        await alice.publish("1/a", Tone(400), fingerprint=":".join(["00"] * 32))
        await until(lambda: recorder.lost == [(1, Lost.DTLS_FAILED)])
        assert recorder.connected == []


async def test_a_closed_session_tells_the_client_at_once() -> None:
    recorder = Recorder()
    async with running_sfu(recorder) as sfu, clients(sfu, 1) as (bob,):
        await bob.play("1/a")
        await until(lambda: recorder.connected == [1])
        sfu.close(1)
        await until(lambda: bob.connection.connectionState == "closed")
        assert recorder.lost == []


async def test_ice_is_not_up_before_the_delay_is_over() -> None:
    recorder, clock = Recorder(), ShiftedClock()
    sfu = Sfu(MediaConfig(host="127.0.0.1", udp_port=0, stun_delay_ms=10_000), recorder, clock=clock, rng=random.Random(1))
    await sfu.start()
    async with clients(sfu, 1) as (bob,):
        await bob.play("1/a")
        await until(lambda: sfu.totals().plane.dropped.get("stun_early", 0) >= 2)
        assert recorder.connected == []
        clock.shift = 10_000
        await until(lambda: recorder.connected == [1])
    await sfu.aclose()


async def test_a_port_in_use_is_an_error_at_the_start() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        sfu = Sfu(MediaConfig(host="127.0.0.1", udp_port=taken.getsockname()[1]), Recorder(), clock=epoch_ms, rng=random.Random(1))
        with pytest.raises(OSError):
            await sfu.start()
        await sfu.aclose()


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
async def test_on_a_wildcard_address_every_address_of_the_machine_answers_for_itself(host: str) -> None:
    # A client with a LAN address sends to the loopback one: the kernel by itself would answer from the LAN address.
    recorder = Recorder()
    async with running_sfu(recorder, host=host, public_ips=("127.0.0.1",)) as sfu, clients(sfu, 1, 2) as (alice, bob):
        await alice.publish("1/a", Tone(400))
        await bob.play("1/a")
        await until(lambda: bob.ear is not None and bob.ear.hears(400) >= 5)
