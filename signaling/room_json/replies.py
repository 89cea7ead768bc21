"""Bodies of answers (``miniprogram-2.11.0.md`` §3–§11). Arrays are always there: SDK 2.11.0 throws without them (§15 no. 12)."""

from __future__ import annotations

import msgspec


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """``err_code`` must be the number 0 on success, in every answer."""

    err_code: int = 0
    err_message: str = "success"


class StreamEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A stream in a list or push (§7.1). Entries of the receiver's own streams are passed over by SDKs.

    Of each kind of address SDKs show the first: web ones as ``urlsRTMP``, ``urlsFLV`` and ``urlsHttpsFLV`` of ``roomStreamUpdate``; the
    mini-program plays ``urls_rtmp`` if it is told to play from the CDN.
    """

    stream_id: str
    stream_sid: str
    stream_gid: str = ""
    anchor_id_name: str
    anchor_nick_name: str
    extra_info: str
    urls_rtmp: tuple[str, ...] = ()
    urls_flv: tuple[str, ...] = ()
    urls_https_flv: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET
    """Not there rather than empty: web SDKs make "" of the one and ``undefined`` of the other."""
    urls_m3u8: tuple[str, ...] = ()
    stream_ver: int


class StreamName(msgspec.Struct, frozen=True, kw_only=True):
    """A stream that is gone: enough for its owner's 2002."""

    stream_id: str


class KeyVersion(msgspec.Struct, frozen=True):
    trans_type: str
    trans_seq: int


class ChannelVersions(msgspec.Struct, frozen=True):
    trans_channel: str
    trans_seq_array: list[KeyVersion]


class ConfigInfo(msgspec.Struct, frozen=True):
    log_url: str
    log_level: str = "info"


class AnchorInfo(msgspec.Struct, frozen=True):
    """Of LiveRoom times; web 1.x reads it without looking whether it is there."""

    anchor_id: str = "0"
    anchor_id_name: str = ""
    anchor_nick_name: str = ""


class LoginReply(Reply, frozen=True, kw_only=True):
    """``login`` and ``enter``. ``cluster_env`` is always 0: 1 switches SDKs to their test mode (§0 no. 15)."""

    user_id: str
    session_id: str
    room_session_id: str
    hearbeat_interval: int
    ret_timestamp: str
    token_remain_time: int
    config_info: ConfigInfo
    cluster_env: int = 0
    online_count: int
    userlist_interval: int = 30_000
    userlist_merge_timeout: int = 5_000
    bigim_time_window: int = 0
    dati_time_window: int = 0
    trans_seqs: list[ChannelVersions]
    server_user_seq: int
    stream_seq: int
    stream_info: list[StreamEntry]
    stream_list_hb_wait_merge_time: int = 2_000
    stream_list_push_merge_timeout: int = 5_000
    anchor_info: AnchorInfo = AnchorInfo()


class HeartbeatReply(Reply, frozen=True, kw_only=True):
    """``hb``. Never with ``StreamRefresh``: SDK 2.11.0 wipes its stream list then (§15 no. 1)."""

    hearbeat_interval: int
    server_user_seq: int
    online_count: int
    stream_seq: int
    trans_seqs: list[ChannelVersions]
    ret_timestamp: str
    bigim_time_window: int = 0
    dati_time_window: int = 0


class ListedUser(msgspec.Struct, frozen=True):
    id_name: str
    nick_name: str
    role: int


class UserListReply(Reply, frozen=True, kw_only=True):
    """``user_list``, always one page: ``ret_user_index`` equal to ``server_user_index`` ends the SDK's paging."""

    user_baseinfos: list[ListedUser]
    ret_user_index: int
    server_user_index: int
    server_user_seq: int


class StreamReply(Reply, frozen=True, kw_only=True):
    """``stream`` and ``stream_info``."""

    stream_seq: int
    stream_info: list[StreamEntry] | list[StreamName]


class StreamUrls(msgspec.Struct, frozen=True):
    stream_id: str
    urls_ws: list[str]
    """RTMP addresses, whatever the name says."""


class StreamPublishReply(Reply, frozen=True, kw_only=True):
    stream_url_info: StreamUrls


class StreamUrlReply(Reply, frozen=True, kw_only=True):
    stream_url_infos: list[StreamUrls]


class WebrtcUrlReply(Reply, frozen=True, kw_only=True):
    """``stream_id`` and ``ptype`` are echoed: SDKs route the answer by them (``web-1x-2x.md`` §2.1)."""

    stream_id: str
    ptype: str
    urls: list[str]
    clientip: str
    is_center_node: bool = False


class WebrtcUrlRefusal(Reply, frozen=True, kw_only=True):
    """``need_action`` tells web 2.x whether to give up (1) or to come back after ``action_delay`` ms (2)."""

    stream_id: str
    ptype: str
    urls: tuple[str, ...] = ()
    need_action: int
    action_delay: int = 0


class BroadcastReply(Reply, frozen=True, kw_only=True):
    msg_id: int


class SentBarrage(msgspec.Struct, frozen=True):
    bigmsg_client_id: str | int
    bigmsg_id: str


class BarrageReply(Reply, frozen=True, kw_only=True):
    bigim_time_window: int = 0
    msgs: list[SentBarrage]


class SetExtraInfoReply(Reply, frozen=True, kw_only=True):
    trans_type: str
    trans_seq: int


class FetchedExtraInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One key. ``trans_user_idname`` is the name by which web 1.4.0 knows who set it."""

    err_code: int = 0
    trans_type: str
    trans_seq: int = 0
    trans_channel: str = "clt"
    trans_data: str = ""
    trans_idname: str = ""
    trans_user_idname: str = ""
    trans_nickname: str = ""
    trans_send_time: int = 0


class FetchExtraInfoReply(Reply, frozen=True, kw_only=True):
    trans_channel: str
    trans_fetch_results: list[FetchedExtraInfo]


class RenewTokenReply(Reply, frozen=True, kw_only=True):
    token_remain_time: int


class BizChannelReply(Reply, frozen=True, kw_only=True):
    channel: str
    cmd: str
    rsp_body: str
    """JSON text."""
