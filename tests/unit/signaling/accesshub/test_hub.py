"""What a hub says before and beside its services."""

from __future__ import annotations

import asyncio
import zlib

import pytest

from signaling.accesshub.configuration import CloudSettings
from signaling.accesshub.frames import MessageType
from signaling.accesshub.proto import accesshub_pb2 as pb
from signaling.accesshub.services import Channel, HttpAnswer, HttpRequest, Job
from tests.unit.signaling.accesshub.samples import HUB, first
from tests.unit.signaling.accesshub.test_explicit_zeros import contains, present
from tests.unit.signaling.accesshub.wire import World
from tests.unit.signaling.house import APP
from tests.waiting import until


async def test_it_configures_a_client_before_anything_else() -> None:
    async with World() as world:
        peer = world.peer()
        peer.send(14, 3, pb.AhGetConfigRequest(txid=5, appid=APP))
        answer = pb.AhGetConfigResponse.FromString(await peer.answer(MessageType.GET_CONFIG_RESPONSE, 3))
        assert (answer.code, answer.data.txid, answer.data.client_outer_ip, answer.data.geofencing_id) == (0, 5, "192.0.2.7", 1)
        assert answer.data.ntp_time == world.clock.now
        captured = HUB[15].FromString(first("hub", 15).body)
        assert present(captured).keys() == present(answer).keys()
        assert contains({name: 0 for name in present(answer)["data"]}, {name: 0 for name in present(captured)["data"]})


async def test_an_app_is_told_where_its_media_is() -> None:
    async with World() as world:
        peer = world.peer()
        peer.send(23, 7, pb.AhGetAppConfigRequest(txid=2, appid=APP, config_key="init"))
        answer = pb.AhGetAppConfigResponse.FromString(await peer.answer(MessageType.GET_APP_CONFIG_RESPONSE, 7))
        assert answer.HasField("code") and (answer.code, answer.data.txid, answer.data.etag) == (0, 2, 1)
        media = pb.CfgInitConfig.FromString(answer.data.data).media_config
        for config in (media.publish_config, media.play_config):
            (resource,) = config.resource_info
            assert resource.resource_type == 1
            assert [(info.protocol, info.url_template) for info in resource.service_info] == [
                (1, f"rtmp://here:1935/{APP}/{{STREAM_NAME}}"),
                (4, f"wss://{{IP}}/ws?app={APP}"),
            ]


async def test_an_unknown_app_is_refused_with_the_code_that_ends_the_login() -> None:
    async with World() as world:
        peer = world.peer()
        peer.send(23, 7, pb.AhGetAppConfigRequest(txid=2, appid=APP + 1))
        answer = pb.AhGetAppConfigResponse.FromString(await peer.answer(MessageType.GET_APP_CONFIG_RESPONSE, 7))
        assert (answer.code, answer.data.txid) == (20012, 2)


async def test_the_app_of_the_first_request_counts_for_later_ones_without() -> None:
    async with World() as world:
        peer = world.peer()
        peer.send(14, 3, pb.AhGetConfigRequest(txid=1, appid=APP))
        peer.send(23, 3, pb.AhGetAppConfigRequest(txid=2))
        answer = pb.AhGetAppConfigResponse.FromString(await peer.answer(MessageType.GET_APP_CONFIG_RESPONSE, 3))
        assert answer.code == 0


async def test_there_are_no_other_hosts_to_go_to() -> None:
    async with World() as world:
        peer = world.peer()
        peer.send(35, 7, pb.AhAccesshubDispatchRequest2(txid=2, appid=APP))
        dispatch = pb.AhAccesshubDispatchResponse2.FromString(await peer.answer(MessageType.DISPATCH_RESPONSE_2, 7))
        assert dispatch.HasField("code") and dispatch.data.txid == 2 and not dispatch.data.wss_groups
        peer.send(39, 9, pb.AhGetSvraddrRequest(txid=3))
        addresses = pb.AhGetSvraddrResponse.FromString(await peer.answer(MessageType.GET_SERVER_ADDRESS_RESPONSE, 9))
        assert addresses.HasField("code") and (addresses.data.txid, addresses.data.geofencing_id) == (3, 1)


async def test_heartbeats_are_answered_with_the_time() -> None:
    async with World() as world:
        peer = world.peer()
        peer.send(12, 5, pb.AhHBRequest(txid=9, ts=77))
        answer = pb.AhHBResponse.FromString(await peer.answer(MessageType.HEARTBEAT_RESPONSE, 5))
        assert (answer.txid, answer.ts, answer.ntp_time) == (9, 77, world.clock.now)


async def test_cloud_settings_are_empty_for_each_file() -> None:
    async with World() as world:
        peer = world.peer()
        wanted = pb.SetGetCloudSettingConfigRequest(files=[pb.SetFile(file_name="init"), pb.SetFile(file_name="rtc")])
        peer.send(33, 3, pb.AhHTTPRequest2(txid=8, interface_id=14, body=wanted.SerializeToString(), ack=True))
        assert pb.AhHTTPRequestAck.FromString(await peer.answer(MessageType.HTTP_REQUEST_ACK, 3)).txid == 8
        answer = pb.AhHTTPResponse.FromString(await peer.answer(MessageType.HTTP_RESPONSE, 3))
        assert (answer.txid, answer.status_code) == (8, 200)
        settings = pb.SetGetCloudSettingConfigResponse.FromString(answer.body)
        assert settings.HasField("code") and settings.polling_interval >= 3600
        assert [(file.file_name, zlib.decompress(file.json_data), len(file.hash)) for file in settings.file_response] == [
            ("init", b"{}", 16),
            ("rtc", b"{}", 16),
        ]


async def test_a_service_that_fails_is_answered_and_the_next_request_done(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(service: CloudSettings, request: HttpRequest) -> HttpAnswer:
        raise RuntimeError("a fault of the server")

    async with World() as world:
        peer = world.peer()
        with monkeypatch.context() as broken:
            broken.setattr(CloudSettings, "answer", fail)
            for txid in (8, 9):
                peer.send(33, 3, pb.AhHTTPRequest2(txid=txid, interface_id=14))
            for txid in (8, 9):
                answer = pb.AhHTTPResponse.FromString(await peer.answer(MessageType.HTTP_RESPONSE, 3))
                assert (answer.txid, answer.status_code) == (txid, 500)
        peer.send(33, 3, pb.AhHTTPRequest2(txid=10, interface_id=14))
        assert pb.AhHTTPResponse.FromString(await peer.answer(MessageType.HTTP_RESPONSE, 3)).status_code == 200


@pytest.mark.parametrize(
    ("kind", "request_"), [(33, pb.AhHTTPRequest2(txid=8, interface_id=6)), (4, pb.AhHTTPRequest(txid=8, service_no=3, location="/x"))]
)
async def test_what_is_not_offered_over_http_is_not_found(kind: int, request_: pb.AhHTTPRequest) -> None:
    async with World() as world:
        peer = world.peer()
        peer.send(kind, 3, request_)
        answer = pb.AhHTTPResponse.FromString(await peer.answer(MessageType.HTTP_RESPONSE, 3))
        assert (answer.txid, answer.status_code) == (8, 404)


async def test_a_channel_is_established_and_its_first_message_acknowledged() -> None:
    async with World() as world:
        peer = world.peer()
        peer.request(1001, peer.login_body("a"), context_key=0)
        assert [(await peer.frame()).type for _ in range(3)] == [19, 18, 21]
        await peer.enter("a")
        peer.request(301005, pb.LrHbReq())
        assert [(await peer.frame()).type for _ in range(1)] == [21]


async def test_a_channel_opened_anew_on_another_stream_takes_the_place_of_the_old_one() -> None:
    async with World() as world:
        peer = world.peer()
        await peer.enter("a")
        session = peer.session_id
        peer.stream = 11
        answer = await peer.enter("a")
        assert answer.user_session_id == session
        assert world.hubs.sessions == 1


async def test_a_channel_whose_socket_is_given_up_while_it_closes_is_still_over_for_its_service() -> None:
    class Slow:
        """A service whose work takes until it is told otherwise; also its own conversation."""

        def __init__(self) -> None:
            self.busy, self.go_on, self.over = asyncio.Event(), asyncio.Event(), 0

        def opened(self, channel: Channel) -> Slow:
            self.hub = channel.hub
            return self

        def take(self, payload: bytes) -> Job:
            return self._work

        async def _work(self) -> None:
            self.busy.set()
            await self.go_on.wait()

        async def closed(self) -> None:
            self.over += 1

    service = Slow()
    async with World(channels={18: service}) as world:
        peer = world.peer()
        peer.send(17, 4, pb.AhPCUpwardMessage(txid=1, service_no=18, payload=b"x"))
        await service.busy.wait()
        peer.send(2, 4, pb.AhStreamClosed())
        await until(peer.socket._arrived.empty)
        service.hub.overflow()
        service.go_on.set()
        await peer._task
        assert service.over == 1


async def test_closing_the_channel_leaves_its_session_to_the_grace_period() -> None:
    async with World() as world:
        peer = world.peer()
        await peer.enter("a")
        peer.send(2, peer.stream, pb.AhStreamClosed())
        peer.send(12, 5, pb.AhHBRequest(txid=9))
        await peer.answer(MessageType.HEARTBEAT_RESPONSE, 5)
        assert world.hubs.sessions == 0
        assert peer.session_id in world.house.told and peer.session_id in world.house.sessions
