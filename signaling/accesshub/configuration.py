"""What SDKs ask a hub before and beside rooms: its own configuration, the App's, cloud settings, other addresses (``sdk-3x.md`` §4)."""

from __future__ import annotations

import zlib
from hashlib import md5
from typing import Final
from urllib.parse import urlsplit

from google.protobuf.message import DecodeError

from signaling.accesshub.explicit_zeros import with_zeros
from signaling.accesshub.proto import accesshub_pb2 as pb
from signaling.accesshub.services import HttpAnswer, HttpRequest
from signaling.accesshub.settings import HubSettings

NO_GEOFENCE: Final = 1
"""``geofencing_id``; with any other web SDKs look for hosts of a region."""
APP_UNKNOWN: Final = 20012
_RTC_RESOURCE: Final = 1
_RTMP, _WEBRTC = 1, 4
_BY_DISPATCH: Final = 1
_KEEP_SECONDS: Final = 3600
_NO_SETTINGS: Final = zlib.compress(b"{}")


def hub_configuration(txid: int, client_address: str, settings: HubSettings, now: int) -> pb.AhGetConfigResponse:
    """Answer to ``GetConfigRequest``."""
    return with_zeros(
        pb.AhGetConfigResponse(
            data=pb.AhGetConfigResponseData(
                txid=txid,
                logic_hb_interval=settings.hub_heartbeat_interval // 1000,
                logic_hb_timeout=settings.hub_heartbeat_timeout // 1000,
                pc_establish_timeout=settings.broken_channel_timeout // 1000,
                client_outer_ip=client_address,
                ntp_time=now,
                geofencing_id=NO_GEOFENCE,
            )
        )
    )


def app_configuration(txid: int, app_id: int, base_url: str, settings: HubSettings, now: int) -> pb.AhGetAppConfigResponse:
    """Answer to ``GetAppConfigRequest`` for an App that is served.

    Of the RTMP template SDKs take the first element of the path, of the WebRTC one the ``app`` parameter, and both only to send them back;
    without the second a web SDK does not publish (§4.2).
    """
    host = urlsplit(base_url).hostname or ""
    rtmp = pb.CfgMediaServiceProtocolInfo(
        config_id="1",
        protocol=_RTMP,
        url_template=f"rtmp://{f'[{host}]' if ':' in host else host}:{settings.rtmp_port}/{app_id}/{{STREAM_NAME}}",
        resolve_type=_BY_DISPATCH,
    )
    webrtc = pb.CfgMediaServiceProtocolInfo(
        config_id="2", protocol=_WEBRTC, url_template=f"wss://{{IP}}/ws?app={app_id}", resolve_type=_BY_DISPATCH
    )
    media = pb.CfgMediaResourceInfo(resource_type=_RTC_RESOURCE, service_info=[rtmp, webrtc])
    configuration = pb.CfgInitConfig(
        app_config=pb.CfgAppConfig(),
        speedlog_config=pb.CfgSpeedlogConfig(report_retry_interval=60),
        media_config=pb.CfgMediaConfig(
            publish_config=pb.CfgMediaPublishConfig(resource_info=[media]), play_config=pb.CfgMediaPlayConfig(resource_info=[media])
        ),
    )
    data = with_zeros(configuration).SerializeToString()
    return with_zeros(pb.AhGetAppConfigResponse(data=pb.AhGetAppConfigResponseData(txid=txid, data=data, ts=now, etag=1)))


def app_refused(txid: int) -> pb.AhGetAppConfigResponse:
    """Answer for an App that is not served: ``loginRoom`` fails with 1001004."""
    return with_zeros(
        pb.AhGetAppConfigResponse(code=APP_UNKNOWN, message="no such App", data=pb.AhGetAppConfigResponseData(txid=txid, data=b""))
    )


def dispatch(txid: int) -> pb.AhAccesshubDispatchResponse2:
    """Answer to ``DispatchRequest2``: no other hosts than the one that was asked. SDKs would remember them beyond the page (§4.4)."""
    return with_zeros(pb.AhAccesshubDispatchResponse2(data=pb.AhAccesshubDispatchResponseData2(txid=txid, ttl=_KEEP_SECONDS)))


def server_addresses(txid: int) -> pb.AhGetSvraddrResponse:
    """Answer to ``GetSvraddrRequest``: none."""
    return with_zeros(pb.AhGetSvraddrResponse(data=pb.AhGetSvraddrResponseData(txid=txid, geofencing_id=NO_GEOFENCE)))


class CloudSettings:
    """HTTP interface 14: empty settings for each file that is asked for. Web SDKs complain in the console without an answer (§4.3)."""

    INTERFACE: Final = 14

    async def answer(self, request: HttpRequest) -> HttpAnswer:
        try:
            wanted = pb.SetGetCloudSettingConfigRequest.FromString(request.body)
        except DecodeError:
            return HttpAnswer(400)
        files = [
            pb.SetCloudSettingFileResponse(
                file_name=name, json_data=_NO_SETTINGS, hash=md5(_NO_SETTINGS, usedforsecurity=False).digest(), g_version=1
            )
            for name in (*wanted.file_list, *(file.file_name for file in wanted.files))[:32]
        ]
        answer = pb.SetGetCloudSettingConfigResponse(polling_interval=_KEEP_SECONDS, file_response=files)
        return HttpAnswer(200, with_zeros(answer).SerializeToString())
