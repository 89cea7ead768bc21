"""Captured bytes of ``sdk-3x.md`` §10: web 3.12.0 and mini-program 3.6.0 with a server that they accepted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from google.protobuf.message import Message

from signaling.accesshub.proto import accesshub_pb2 as pb


class Sample(NamedTuple):
    sdk: str
    layer: str
    """``hub``: a whole frame; ``switch``: payload of service 17; ``rtc``: payload of service 18."""
    dir: str
    """``c>s`` or ``s>c``."""
    number: int
    """Message type, or command."""
    data: bytes

    @property
    def body(self) -> bytes:
        """The message behind the header of its layer."""
        if self.layer == "hub":
            return self.data[13:]
        data = self.data if self.layer == "switch" else self.data[8 + int.from_bytes(self.data[2:4]) :]
        return data[7 + int.from_bytes(data[1:3]) :]


SAMPLES = [
    Sample(line["sdk"], line["layer"], line["dir"], line["number"], bytes.fromhex(line["hex"]))
    for line in map(json.loads, (Path(__file__).parent / "data" / "samples.jsonl").read_text().splitlines())
]

HUB: dict[int, type[Message]] = {
    2: pb.AhStreamClosed,
    4: pb.AhHTTPRequest,
    5: pb.AhHTTPResponse,
    12: pb.AhHBRequest,
    13: pb.AhHBResponse,
    14: pb.AhGetConfigRequest,
    15: pb.AhGetConfigResponse,
    17: pb.AhPCUpwardMessage,
    18: pb.AhPCUpwardMessageAck,
    19: pb.AhPCEstablished,
    21: pb.AhPCDownwardMessage,
    23: pb.AhGetAppConfigRequest,
    24: pb.AhGetAppConfigResponse,
    33: pb.AhHTTPRequest2,
    35: pb.AhAccesshubDispatchRequest2,
    36: pb.AhAccesshubDispatchResponse2,
    39: pb.AhGetSvraddrRequest,
    40: pb.AhGetSvraddrResponse,
}
SWITCH: dict[int, type[Message]] = {
    1001: pb.SwLoginRoomReq,
    1002: pb.SwLoginRoomRsp,
    1003: pb.SwLogoutRoomReq,
    1004: pb.SwLogoutRoomRsp,
    1101: pb.SwPushReq,
    1103: pb.SwMergePushReq,
    1105: pb.SwPushKickout,
    301001: pb.LrEnterRoomReq,
    301002: pb.LrEnterRoomRsp,
    301003: pb.LrQuitRoomReq,
    301004: pb.LrQuitRoomRsp,
    301005: pb.LrHbReq,
    301006: pb.LrHbRsp,
    301011: pb.LrSetTransReq,
    301012: pb.LrSetTransRsp,
    302001: pb.LrAddStreamReq,
    302002: pb.LrAddStreamRsp,
    302003: pb.LrDeleteStreamReq,
    302004: pb.LrDeleteStreamRsp,
    302005: pb.LrUpdateStreamReq,
    302006: pb.LrUpdateStreamRsp,
    302007: pb.LrGetStreamListReq,
    302008: pb.LrGetStreamListRsp,
    303001: pb.LrSendImReq,
    303002: pb.LrSendImRsp,
    303005: pb.LrSendBigImReq,
    303006: pb.LrSendBigImRsp,
    303017: pb.LrSignalLiveCustomReq,
    303018: pb.LrSignalLiveCustomRsp,
    304001: pb.LrGetUserlistReq,
    304002: pb.LrGetUserlistRsp,
}
RTC: dict[int, type[Message]] = {
    1: pb.RtcLoginReq,
    2: pb.RtcLoginRsp,
    3: pb.RtcCreateSessionReq,
    4: pb.RtcCreateSessionRsp,
    7: pb.RtcSessionResetPush,
    8: pb.RtcSessionResetAck,
    15: pb.RtcCloseSessionReq,
    16: pb.RtcCloseSessionRsp,
    23: pb.RtcStreamStatusNotify,
    24: pb.RtcStreamStatusNotifyAck,
    25: pb.RtcStreamStatusNotifyPush,
    26: pb.RtcStreamStatusNotifyPushAck,
    41: pb.RtcPeer2PeerNetStatsGetReq,
    42: pb.RtcPeer2PeerNetStatsGetRsp,
    43: pb.RtcCmdReq,
}
KINDS = {"hub": HUB, "switch": SWITCH, "rtc": RTC}


def message(sample: Sample) -> Message:
    """The message in a sample."""
    return KINDS[sample.layer][sample.number].FromString(sample.body)


def first(layer: str, number: int) -> Sample:
    return next(sample for sample in SAMPLES if (sample.layer, sample.number) == (layer, number))
