"""Sound from one real WebRTC client to others, through one UDP port."""

from __future__ import annotations

from media.sfu import Lost
from tests.integration.media.aiortc_clients import Recorder, Tone, clients, running_sfu
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
        await until(lambda: 1 in recorder.connected)
        await alice.close()
        await until(lambda: recorder.lost == [(1, Lost.DTLS_CLOSED)])
        assert sfu.statistics(1) is None
