"""Sound from one real WebRTC client to others, through one UDP port."""

from __future__ import annotations

import functools
import itertools
import random
import socket
from collections.abc import Awaitable, Callable

from aiortc.rtcdtlstransport import SRTP_AES128_CM_SHA1_80

from media import rtp
from media.plane import Loudest
from media.sfu import Lost, Sfu
from tests.integration.media.aiortc_clients import Client, Recorder, Tone, clients, running_sfu
from tests.integration.media.nat import Nat
from tests.waiting import until


async def test_a_player_hears_the_publisher() -> None:
    recorder = Recorder()
    async with running_sfu(recorder) as sfu, clients(sfu, 1, 2) as (alice, bob):
        await alice.publish("1/a", Tone(400))
        await bob.play("1/a", video=True)
        await until(lambda: bob.ear is not None and bob.ear.hears(400) >= 10)
        assert sorted(recorder.connected) == [1, 2]
        assert recorder.lost == []
        published, played = sfu.statistics(1), sfu.statistics(2)
        assert published is not None and published.peer.packets_in > 10 and published.peer.lost == 0
        assert played is not None and played.peer.packets_out > 10 and played.peer.srtp_profile == "SRTP_AEAD_AES_128_GCM"


async def test_a_player_may_come_before_its_publisher() -> None:
    recorder = Recorder()
    async with running_sfu(recorder) as sfu, clients(sfu, 1, 2) as (alice, bob):
        await bob.play("1/a")
        await until(lambda: 2 in recorder.connected)
        await alice.publish("1/a", Tone(400))
        await until(lambda: bob.ear is not None and bob.ear.hears(400) >= 10)


async def test_a_closed_client_is_lost_at_once() -> None:
    recorder = Recorder()
    async with running_sfu(recorder) as sfu, clients(sfu, 1) as (alice,):
        await alice.publish("1/a", Tone(400))
        # The node is connected a flight earlier than its client; one that closes before has nothing to say goodbye with.
        await until(lambda: alice.connection.connectionState == "connected")
        await alice.close()
        await until(lambda: recorder.lost == [(1, Lost.DTLS_CLOSED)])
        assert sfu.statistics(1) is None


async def test_a_republished_stream_goes_on_at_its_players() -> None:
    recorder = Recorder()
    async with running_sfu(recorder) as sfu, clients(sfu, 1, 2, 3) as (alice, bob, alice_again):
        await alice.publish("1/a", Tone(400))
        await bob.play("1/a")
        await until(lambda: bob.ear is not None and bob.ear.hears(400) >= 5)
        sfu.close(1)
        await alice_again.publish("1/a", Tone(700))
        await until(lambda: bob.ear is not None and bob.ear.hears(700) >= 10)
        assert recorder.connected.count(2) == 1
        assert (1, Lost.DTLS_CLOSED) not in recorder.lost


async def test_a_newer_publisher_of_a_stream_replaces_the_older() -> None:
    recorder = Recorder()
    async with running_sfu(recorder) as sfu, clients(sfu, 1, 2, 3) as (alice, bob, newer):
        await alice.publish("1/a", Tone(400))
        await bob.play("1/a")
        await until(lambda: bob.ear is not None and bob.ear.hears(400) >= 5)
        await newer.publish("1/a", Tone(700))
        await until(lambda: bob.ear is not None and bob.ear.hears(700) >= 10)
        assert recorder.lost == [(1, Lost.REPLACED)]
        assert sfu.totals().publishers == 1


async def test_a_muted_player_hears_nothing_until_it_is_unmuted() -> None:
    recorder = Recorder()
    async with running_sfu(recorder) as sfu, clients(sfu, 1, 2, 3) as (alice, bob, carol):
        await alice.publish("1/a", Tone(400))
        await bob.play("1/a")
        await carol.play("1/a")
        await until(lambda: bob.ear is not None and bob.ear.hears(400) >= 5)
        sfu.set_forwarding(2, audio=False)
        muted_at = sfu.statistics(2)
        assert muted_at is not None and bob.ear is not None and carol.ear is not None
        heard_by_carol = carol.ear.hears(400)
        await until(lambda: carol.ear is not None and carol.ear.hears(400) >= heard_by_carol + 20)
        still = sfu.statistics(2)
        assert still is not None and still.peer.packets_out == muted_at.peer.packets_out
        heard_before = bob.ear.hears(400)
        sfu.set_forwarding(2, audio=True)
        await until(lambda: bob.ear is not None and bob.ear.hears(400) >= heard_before + 10)
        last = sfu.statistics(2)
        assert last is not None and last.peer.lost == 0


async def test_a_client_behind_a_nat_that_changes_its_port_keeps_its_session() -> None:
    recorder = Recorder()
    async with running_sfu(recorder) as sfu, clients(sfu, 1, 2) as (alice, bob):
        nat = Nat(("127.0.0.1", sfu.port))
        try:
            await alice.publish("1/a", Tone(400), node_port=nat.port)
            await bob.play("1/a")
            await until(lambda: bob.ear is not None and bob.ear.hears(400) >= 5)
            nat.rebind()
            assert bob.ear is not None
            await until(lambda: _port_of(sfu, 1) == nat.outer_port)
            heard = bob.ear.hears(400)
            await until(lambda: bob.ear is not None and bob.ear.hears(400) >= heard + 10)
            assert recorder.lost == []
        finally:
            nat.close()


async def test_the_sound_of_a_publisher_with_a_camera_is_heard() -> None:
    async with running_sfu(Recorder()) as sfu, clients(sfu, 1, 2) as (alice, bob):
        await alice.publish("1/a", Tone(400), video=True)
        assert "m=video" in alice.answer and alice.answer.count("a=inactive") == 1
        await bob.play("1/a", video=True)
        await until(lambda: bob.ear is not None and bob.ear.hears(400) >= 10)
        assert sfu.totals().plane.dropped.get("rtp_unexpected", 0) == 0


async def test_a_publisher_hears_of_what_its_player_loses() -> None:
    """Every fifth packet to the player is lost; the publisher's way to the node is without fault."""
    media = itertools.count()

    def every_fifth(data: bytes) -> bool:
        return 128 <= data[0] <= 191 and not rtp.is_rtcp(data[1]) and next(media) % 5 == 0

    async with running_sfu(Recorder()) as sfu, clients(sfu, 1, 2) as (alice, bob):
        nat = Nat(("127.0.0.1", sfu.port), loses=every_fifth)
        try:
            await alice.publish("1/a", Tone(400))
            await bob.play("1/a", node_port=nat.port)
            await until(lambda: (figures := sfu.statistics(1)) is not None and figures.peer.players_fraction_lost > 0.1)

            async def told() -> bool:
                return await alice.figure("remote-inbound-rtp", "fractionLost") > 0.1

            await until(told)
            assert await alice.figure("remote-inbound-rtp", "packetsLost") == 0
        finally:
            nat.close()


async def test_only_the_loudest_of_a_room_is_heard_and_the_change_is_no_loss() -> None:
    loudest = Loudest("room", 1)
    async with running_sfu(Recorder()) as sfu, clients(sfu, 1, 2, 3, 4) as (alice, carol, bob, dave):
        loud, quiet = Tone(400), Tone(700, amplitude=0)
        await alice.publish("1/a", loud, loudest=loudest)
        await carol.publish("1/c", quiet, loudest=loudest)
        await bob.play("1/a")
        await dave.play("1/c")
        await until(lambda: bob.ear is not None and bob.ear.hears(400) >= 10)
        loud.amplitude, quiet.amplitude = 0, 12_000
        await until(lambda: dave.ear is not None and dave.ear.hears(700) >= 10)
        figures = sfu.statistics(1)
        assert figures is not None and not figures.peer.forwarding
        loud.amplitude, quiet.amplitude = 12_000, 0
        assert bob.ear is not None
        heard = bob.ear.hears(400)
        await until(lambda: bob.ear is not None and bob.ear.hears(400) >= heard + 10)
        await until(lambda: (told := sfu.statistics(3)) is not None and told.peer.rtt_ms is not None)
        for session in (3, 4):
            player = sfu.statistics(session)
            assert player is not None and player.peer.lost == 0


async def test_a_client_reaches_the_node_over_ipv6() -> None:
    async with running_sfu(Recorder(), host="::1") as sfu, clients(sfu, 1, 2) as (alice, bob):
        await alice.publish("1/a", Tone(400))
        assert "c=IN IP6 ::1" in alice.answer
        await bob.play("1/a")
        await until(lambda: bob.ear is not None and bob.ear.hears(400) >= 10)
        figures = sfu.statistics(1)
        assert figures is not None and figures.peer.address is not None and ":" in figures.peer.address[0]


async def test_of_several_announced_addresses_the_one_that_can_be_reached_is_used() -> None:
    async with running_sfu(Recorder(), public_ips=("192.0.2.99", "127.0.0.1")) as sfu, clients(sfu, 1, 2) as (alice, bob):
        await alice.publish("1/a", Tone(400))
        assert " 192.0.2.99 " in alice.answer and " 127.0.0.1 " in alice.answer
        await bob.play("1/a")
        await until(lambda: bob.ear is not None and bob.ear.hears(400) >= 10)


async def test_clients_without_aes_gcm_get_the_older_profile() -> None:
    recorder = Recorder()
    async with running_sfu(recorder) as sfu, clients(sfu, 1, 2) as (alice, bob):
        await alice.publish("1/a", Tone(400), srtp_profiles=[SRTP_AES128_CM_SHA1_80])
        await bob.play("1/a")
        await until(lambda: bob.ear is not None and bob.ear.hears(400) >= 10)
        published, played = sfu.statistics(1), sfu.statistics(2)
        assert published is not None and published.peer.srtp_profile == "SRTP_AES128_CM_SHA1_80"
        assert played is not None and played.peer.srtp_profile == "SRTP_AEAD_AES_128_GCM"


async def test_reports_reach_both_sides() -> None:
    recorder = Recorder()
    async with running_sfu(recorder) as sfu, clients(sfu, 1, 2) as (alice, bob):
        await alice.publish("1/a", Tone(400))
        await bob.play("1/a")
        await _reported(alice, "remote-inbound-rtp", "packetsReceived")
        assert await alice.figure("remote-inbound-rtp", "packetsLost") == 0
        await _reported(bob, "remote-outbound-rtp", "packetsSent")
        await until(lambda: (figures := sfu.statistics(2)) is not None and (figures.peer.rtt_ms or 9_999) < 1_000)
        source = sfu.statistics(1)
        assert source is not None and source.peer.audio_level is not None and source.peer.audio_level < 40


async def test_ten_thousand_random_datagrams_do_not_disturb_a_running_stream() -> None:
    recorder = Recorder()
    noise = random.Random(4)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        async with running_sfu(recorder) as sfu, clients(sfu, 1, 2) as (alice, bob):
            await alice.publish("1/a", Tone(400))
            await bob.play("1/a")
            await until(lambda: bob.ear is not None and bob.ear.hears(400) >= 5)
            before, sent = _dropped(sfu), 0
            for _ in range(200):
                for _ in range(50):
                    datagram = bytearray(noise.randbytes(noise.choice([1, 12, 20, 28, 60, 300, 1_400])))
                    datagram[0] = noise.choice([0, 1, 20, 22, 63, 64, 128, 144, 191, 255])
                    stranger.sendto(datagram, ("127.0.0.1", sfu.port))
                sent += 50
                await until(functools.partial(_dropped_since, sfu, before, sent))
            assert bob.ear is not None
            heard = bob.ear.hears(400)
            await until(lambda: bob.ear is not None and bob.ear.hears(400) >= heard + 10)
            assert recorder.lost == []


async def _reported(client: Client, kind: str, name: str) -> None:
    async def positive() -> bool:
        return await client.figure(kind, name) > 0

    predicate: Callable[[], bool | Awaitable[bool]] = positive
    await until(predicate)


def _dropped(sfu: Sfu) -> int:
    return sum(sfu.totals().plane.dropped.values())


def _dropped_since(sfu: Sfu, before: int, expected: int) -> bool:
    return _dropped(sfu) - before >= expected


def _port_of(sfu: Sfu, session: int) -> int:
    statistics = sfu.statistics(session)
    assert statistics is not None and statistics.peer.address is not None
    return statistics.peer.address[1]
