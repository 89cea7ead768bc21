from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AhStreamClosed(_message.Message):
    __slots__ = ("code", "msg")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MSG_FIELD_NUMBER: _ClassVar[int]
    code: int
    msg: str
    def __init__(self, code: _Optional[int] = ..., msg: _Optional[str] = ...) -> None: ...

class AhCloseConnection(_message.Message):
    __slots__ = ("reason", "msg", "action")
    REASON_FIELD_NUMBER: _ClassVar[int]
    MSG_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    reason: int
    msg: str
    action: int
    def __init__(self, reason: _Optional[int] = ..., msg: _Optional[str] = ..., action: _Optional[int] = ...) -> None: ...

class AhPushException(_message.Message):
    __slots__ = ("reason", "msg", "txid")
    REASON_FIELD_NUMBER: _ClassVar[int]
    MSG_FIELD_NUMBER: _ClassVar[int]
    TXID_FIELD_NUMBER: _ClassVar[int]
    reason: int
    msg: str
    txid: int
    def __init__(self, reason: _Optional[int] = ..., msg: _Optional[str] = ..., txid: _Optional[int] = ...) -> None: ...

class AhHBRequest(_message.Message):
    __slots__ = ("txid", "ts")
    TXID_FIELD_NUMBER: _ClassVar[int]
    TS_FIELD_NUMBER: _ClassVar[int]
    txid: int
    ts: int
    def __init__(self, txid: _Optional[int] = ..., ts: _Optional[int] = ...) -> None: ...

class AhHBResponse(_message.Message):
    __slots__ = ("txid", "ts", "ntp_time")
    TXID_FIELD_NUMBER: _ClassVar[int]
    TS_FIELD_NUMBER: _ClassVar[int]
    NTP_TIME_FIELD_NUMBER: _ClassVar[int]
    txid: int
    ts: int
    ntp_time: int
    def __init__(self, txid: _Optional[int] = ..., ts: _Optional[int] = ..., ntp_time: _Optional[int] = ...) -> None: ...

class AhGetConfigRequest(_message.Message):
    __slots__ = ("txid", "appid", "id_name")
    TXID_FIELD_NUMBER: _ClassVar[int]
    APPID_FIELD_NUMBER: _ClassVar[int]
    ID_NAME_FIELD_NUMBER: _ClassVar[int]
    txid: int
    appid: int
    id_name: str
    def __init__(self, txid: _Optional[int] = ..., appid: _Optional[int] = ..., id_name: _Optional[str] = ...) -> None: ...

class AhGetConfigResponse(_message.Message):
    __slots__ = ("code", "message", "data")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    code: int
    message: str
    data: AhGetConfigResponseData
    def __init__(self, code: _Optional[int] = ..., message: _Optional[str] = ..., data: _Optional[_Union[AhGetConfigResponseData, _Mapping]] = ...) -> None: ...

class AhGetConfigResponseData(_message.Message):
    __slots__ = ("txid", "quic_hb_interval", "quic_hb_timeout", "logic_hb_interval", "logic_hb_timeout", "pc_establish_timeout", "sdk_link_detect_interval", "sdk_link_detect_duration", "client_outer_ip", "ntp_time", "root_rsa_certs_ver", "geofencing_id", "svraddr_ver", "root_ecc_certs_ver")
    TXID_FIELD_NUMBER: _ClassVar[int]
    QUIC_HB_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    QUIC_HB_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    LOGIC_HB_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    LOGIC_HB_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    PC_ESTABLISH_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    SDK_LINK_DETECT_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    SDK_LINK_DETECT_DURATION_FIELD_NUMBER: _ClassVar[int]
    CLIENT_OUTER_IP_FIELD_NUMBER: _ClassVar[int]
    NTP_TIME_FIELD_NUMBER: _ClassVar[int]
    ROOT_RSA_CERTS_VER_FIELD_NUMBER: _ClassVar[int]
    GEOFENCING_ID_FIELD_NUMBER: _ClassVar[int]
    SVRADDR_VER_FIELD_NUMBER: _ClassVar[int]
    ROOT_ECC_CERTS_VER_FIELD_NUMBER: _ClassVar[int]
    txid: int
    quic_hb_interval: int
    quic_hb_timeout: int
    logic_hb_interval: int
    logic_hb_timeout: int
    pc_establish_timeout: int
    sdk_link_detect_interval: int
    sdk_link_detect_duration: int
    client_outer_ip: str
    ntp_time: int
    root_rsa_certs_ver: int
    geofencing_id: int
    svraddr_ver: int
    root_ecc_certs_ver: int
    def __init__(self, txid: _Optional[int] = ..., quic_hb_interval: _Optional[int] = ..., quic_hb_timeout: _Optional[int] = ..., logic_hb_interval: _Optional[int] = ..., logic_hb_timeout: _Optional[int] = ..., pc_establish_timeout: _Optional[int] = ..., sdk_link_detect_interval: _Optional[int] = ..., sdk_link_detect_duration: _Optional[int] = ..., client_outer_ip: _Optional[str] = ..., ntp_time: _Optional[int] = ..., root_rsa_certs_ver: _Optional[int] = ..., geofencing_id: _Optional[int] = ..., svraddr_ver: _Optional[int] = ..., root_ecc_certs_ver: _Optional[int] = ...) -> None: ...

class AhGetAppConfigRequest(_message.Message):
    __slots__ = ("txid", "appid", "id_name", "config_key", "token", "etag")
    TXID_FIELD_NUMBER: _ClassVar[int]
    APPID_FIELD_NUMBER: _ClassVar[int]
    ID_NAME_FIELD_NUMBER: _ClassVar[int]
    CONFIG_KEY_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    txid: int
    appid: int
    id_name: str
    config_key: str
    token: str
    etag: int
    def __init__(self, txid: _Optional[int] = ..., appid: _Optional[int] = ..., id_name: _Optional[str] = ..., config_key: _Optional[str] = ..., token: _Optional[str] = ..., etag: _Optional[int] = ...) -> None: ...

class AhGetAppConfigResponse(_message.Message):
    __slots__ = ("code", "message", "data")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    code: int
    message: str
    data: AhGetAppConfigResponseData
    def __init__(self, code: _Optional[int] = ..., message: _Optional[str] = ..., data: _Optional[_Union[AhGetAppConfigResponseData, _Mapping]] = ...) -> None: ...

class AhGetAppConfigResponseData(_message.Message):
    __slots__ = ("txid", "data", "ts", "etag")
    TXID_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    TS_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    txid: int
    data: bytes
    ts: int
    etag: int
    def __init__(self, txid: _Optional[int] = ..., data: _Optional[bytes] = ..., ts: _Optional[int] = ..., etag: _Optional[int] = ...) -> None: ...

class AhAccesshubDispatchRequest2(_message.Message):
    __slots__ = ("txid", "appid", "id_name")
    TXID_FIELD_NUMBER: _ClassVar[int]
    APPID_FIELD_NUMBER: _ClassVar[int]
    ID_NAME_FIELD_NUMBER: _ClassVar[int]
    txid: int
    appid: int
    id_name: str
    def __init__(self, txid: _Optional[int] = ..., appid: _Optional[int] = ..., id_name: _Optional[str] = ...) -> None: ...

class AhAccesshubDispatchResponse2(_message.Message):
    __slots__ = ("code", "message", "data")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    code: int
    message: str
    data: AhAccesshubDispatchResponseData2
    def __init__(self, code: _Optional[int] = ..., message: _Optional[str] = ..., data: _Optional[_Union[AhAccesshubDispatchResponseData2, _Mapping]] = ...) -> None: ...

class AhAccesshubDispatchResponseData2(_message.Message):
    __slots__ = ("txid", "rand", "secret", "wss_groups", "ttl")
    TXID_FIELD_NUMBER: _ClassVar[int]
    RAND_FIELD_NUMBER: _ClassVar[int]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    WSS_GROUPS_FIELD_NUMBER: _ClassVar[int]
    TTL_FIELD_NUMBER: _ClassVar[int]
    txid: int
    rand: str
    secret: str
    wss_groups: _containers.RepeatedCompositeFieldContainer[AhWssAccesshubDispatchGroup]
    ttl: int
    def __init__(self, txid: _Optional[int] = ..., rand: _Optional[str] = ..., secret: _Optional[str] = ..., wss_groups: _Optional[_Iterable[_Union[AhWssAccesshubDispatchGroup, _Mapping]]] = ..., ttl: _Optional[int] = ...) -> None: ...

class AhWssAccesshubDispatchGroup(_message.Message):
    __slots__ = ("group", "host", "main_domain")
    GROUP_FIELD_NUMBER: _ClassVar[int]
    HOST_FIELD_NUMBER: _ClassVar[int]
    MAIN_DOMAIN_FIELD_NUMBER: _ClassVar[int]
    group: str
    host: str
    main_domain: str
    def __init__(self, group: _Optional[str] = ..., host: _Optional[str] = ..., main_domain: _Optional[str] = ...) -> None: ...

class AhRedirect2(_message.Message):
    __slots__ = ("rand", "secret", "wss_groups", "ttl")
    RAND_FIELD_NUMBER: _ClassVar[int]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    WSS_GROUPS_FIELD_NUMBER: _ClassVar[int]
    TTL_FIELD_NUMBER: _ClassVar[int]
    rand: str
    secret: str
    wss_groups: _containers.RepeatedCompositeFieldContainer[AhWssAccesshubDispatchGroup]
    ttl: int
    def __init__(self, rand: _Optional[str] = ..., secret: _Optional[str] = ..., wss_groups: _Optional[_Iterable[_Union[AhWssAccesshubDispatchGroup, _Mapping]]] = ..., ttl: _Optional[int] = ...) -> None: ...

class AhGetSvraddrRequest(_message.Message):
    __slots__ = ("txid", "appid", "id_name")
    TXID_FIELD_NUMBER: _ClassVar[int]
    APPID_FIELD_NUMBER: _ClassVar[int]
    ID_NAME_FIELD_NUMBER: _ClassVar[int]
    txid: int
    appid: int
    id_name: str
    def __init__(self, txid: _Optional[int] = ..., appid: _Optional[int] = ..., id_name: _Optional[str] = ...) -> None: ...

class AhGetSvraddrResponse(_message.Message):
    __slots__ = ("code", "msg", "data")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MSG_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    code: int
    msg: str
    data: AhGetSvraddrResponseData
    def __init__(self, code: _Optional[int] = ..., msg: _Optional[str] = ..., data: _Optional[_Union[AhGetSvraddrResponseData, _Mapping]] = ...) -> None: ...

class AhGetSvraddrResponseData(_message.Message):
    __slots__ = ("txid", "geofencing_id", "svraddr_ver")
    TXID_FIELD_NUMBER: _ClassVar[int]
    GEOFENCING_ID_FIELD_NUMBER: _ClassVar[int]
    SVRADDR_VER_FIELD_NUMBER: _ClassVar[int]
    txid: int
    geofencing_id: int
    svraddr_ver: int
    def __init__(self, txid: _Optional[int] = ..., geofencing_id: _Optional[int] = ..., svraddr_ver: _Optional[int] = ...) -> None: ...

class AhHTTPRequest(_message.Message):
    __slots__ = ("txid", "appid", "id_name", "service", "location", "method", "headers", "body", "ack", "service_no", "method_no")
    TXID_FIELD_NUMBER: _ClassVar[int]
    APPID_FIELD_NUMBER: _ClassVar[int]
    ID_NAME_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    LOCATION_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    ACK_FIELD_NUMBER: _ClassVar[int]
    SERVICE_NO_FIELD_NUMBER: _ClassVar[int]
    METHOD_NO_FIELD_NUMBER: _ClassVar[int]
    txid: int
    appid: int
    id_name: str
    service: str
    location: str
    method: str
    headers: _containers.RepeatedCompositeFieldContainer[AhHTTPRequest_HTTPHeader]
    body: bytes
    ack: bool
    service_no: int
    method_no: int
    def __init__(self, txid: _Optional[int] = ..., appid: _Optional[int] = ..., id_name: _Optional[str] = ..., service: _Optional[str] = ..., location: _Optional[str] = ..., method: _Optional[str] = ..., headers: _Optional[_Iterable[_Union[AhHTTPRequest_HTTPHeader, _Mapping]]] = ..., body: _Optional[bytes] = ..., ack: _Optional[bool] = ..., service_no: _Optional[int] = ..., method_no: _Optional[int] = ...) -> None: ...

class AhHTTPRequest2(_message.Message):
    __slots__ = ("txid", "appid", "id_name", "headers", "method", "interface_id", "params", "body", "ack", "token")
    TXID_FIELD_NUMBER: _ClassVar[int]
    APPID_FIELD_NUMBER: _ClassVar[int]
    ID_NAME_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    INTERFACE_ID_FIELD_NUMBER: _ClassVar[int]
    PARAMS_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    ACK_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    txid: int
    appid: int
    id_name: str
    headers: _containers.RepeatedCompositeFieldContainer[AhHTTPRequest_HTTPHeader]
    method: int
    interface_id: int
    params: str
    body: bytes
    ack: bool
    token: str
    def __init__(self, txid: _Optional[int] = ..., appid: _Optional[int] = ..., id_name: _Optional[str] = ..., headers: _Optional[_Iterable[_Union[AhHTTPRequest_HTTPHeader, _Mapping]]] = ..., method: _Optional[int] = ..., interface_id: _Optional[int] = ..., params: _Optional[str] = ..., body: _Optional[bytes] = ..., ack: _Optional[bool] = ..., token: _Optional[str] = ...) -> None: ...

class AhHTTPRequestAck(_message.Message):
    __slots__ = ("txid",)
    TXID_FIELD_NUMBER: _ClassVar[int]
    txid: int
    def __init__(self, txid: _Optional[int] = ...) -> None: ...

class AhHTTPRequest_HTTPHeader(_message.Message):
    __slots__ = ("name", "val")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VAL_FIELD_NUMBER: _ClassVar[int]
    name: str
    val: str
    def __init__(self, name: _Optional[str] = ..., val: _Optional[str] = ...) -> None: ...

class AhHTTPResponse(_message.Message):
    __slots__ = ("txid", "headers", "status_code", "body")
    TXID_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    STATUS_CODE_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    txid: int
    headers: _containers.RepeatedCompositeFieldContainer[AhHTTPRequest_HTTPHeader]
    status_code: int
    body: bytes
    def __init__(self, txid: _Optional[int] = ..., headers: _Optional[_Iterable[_Union[AhHTTPRequest_HTTPHeader, _Mapping]]] = ..., status_code: _Optional[int] = ..., body: _Optional[bytes] = ...) -> None: ...

class AhPCUpwardMessage(_message.Message):
    __slots__ = ("txid", "appid", "id_name", "service_no", "ack", "payload", "wss_message_type", "wss_path")
    TXID_FIELD_NUMBER: _ClassVar[int]
    APPID_FIELD_NUMBER: _ClassVar[int]
    ID_NAME_FIELD_NUMBER: _ClassVar[int]
    SERVICE_NO_FIELD_NUMBER: _ClassVar[int]
    ACK_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    WSS_MESSAGE_TYPE_FIELD_NUMBER: _ClassVar[int]
    WSS_PATH_FIELD_NUMBER: _ClassVar[int]
    txid: int
    appid: int
    id_name: str
    service_no: int
    ack: bool
    payload: bytes
    wss_message_type: int
    wss_path: str
    def __init__(self, txid: _Optional[int] = ..., appid: _Optional[int] = ..., id_name: _Optional[str] = ..., service_no: _Optional[int] = ..., ack: _Optional[bool] = ..., payload: _Optional[bytes] = ..., wss_message_type: _Optional[int] = ..., wss_path: _Optional[str] = ...) -> None: ...

class AhPCUpwardMessageAck(_message.Message):
    __slots__ = ("txid",)
    TXID_FIELD_NUMBER: _ClassVar[int]
    txid: int
    def __init__(self, txid: _Optional[int] = ...) -> None: ...

class AhPCEstablished(_message.Message):
    __slots__ = ("elapse",)
    ELAPSE_FIELD_NUMBER: _ClassVar[int]
    FROM_FIELD_NUMBER: _ClassVar[int]
    elapse: int
    def __init__(self, elapse: _Optional[int] = ..., **kwargs) -> None: ...

class AhPCDownwardMessage(_message.Message):
    __slots__ = ("payload", "wss_message_type", "ts")
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    WSS_MESSAGE_TYPE_FIELD_NUMBER: _ClassVar[int]
    TS_FIELD_NUMBER: _ClassVar[int]
    payload: bytes
    wss_message_type: int
    ts: int
    def __init__(self, payload: _Optional[bytes] = ..., wss_message_type: _Optional[int] = ..., ts: _Optional[int] = ...) -> None: ...

class CfgInitConfig(_message.Message):
    __slots__ = ("app_config", "speedlog_config", "media_config")
    APP_CONFIG_FIELD_NUMBER: _ClassVar[int]
    SPEEDLOG_CONFIG_FIELD_NUMBER: _ClassVar[int]
    MEDIA_CONFIG_FIELD_NUMBER: _ClassVar[int]
    app_config: CfgAppConfig
    speedlog_config: CfgSpeedlogConfig
    media_config: CfgMediaConfig
    def __init__(self, app_config: _Optional[_Union[CfgAppConfig, _Mapping]] = ..., speedlog_config: _Optional[_Union[CfgSpeedlogConfig, _Mapping]] = ..., media_config: _Optional[_Union[CfgMediaConfig, _Mapping]] = ...) -> None: ...

class CfgAppConfig(_message.Message):
    __slots__ = ("test_id", "domain", "flexible_domain", "replace_flexible_domain")
    TEST_ID_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    FLEXIBLE_DOMAIN_FIELD_NUMBER: _ClassVar[int]
    REPLACE_FLEXIBLE_DOMAIN_FIELD_NUMBER: _ClassVar[int]
    test_id: int
    domain: str
    flexible_domain: str
    replace_flexible_domain: str
    def __init__(self, test_id: _Optional[int] = ..., domain: _Optional[str] = ..., flexible_domain: _Optional[str] = ..., replace_flexible_domain: _Optional[str] = ...) -> None: ...

class CfgSpeedlogConfig(_message.Message):
    __slots__ = ("report_count", "report_retry_interval", "push_quality_sample_count", "pull_quality_sample_count", "hardware_report_cycle", "room_user_max_count", "room_stream_max_count", "charge_info_report_cycle", "charge_info_report_mode", "report_max_bytes", "push_quality_report_freq", "pull_quality_report_freq", "charge_info_report_no_playing")
    REPORT_COUNT_FIELD_NUMBER: _ClassVar[int]
    REPORT_RETRY_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    PUSH_QUALITY_SAMPLE_COUNT_FIELD_NUMBER: _ClassVar[int]
    PULL_QUALITY_SAMPLE_COUNT_FIELD_NUMBER: _ClassVar[int]
    HARDWARE_REPORT_CYCLE_FIELD_NUMBER: _ClassVar[int]
    ROOM_USER_MAX_COUNT_FIELD_NUMBER: _ClassVar[int]
    ROOM_STREAM_MAX_COUNT_FIELD_NUMBER: _ClassVar[int]
    CHARGE_INFO_REPORT_CYCLE_FIELD_NUMBER: _ClassVar[int]
    CHARGE_INFO_REPORT_MODE_FIELD_NUMBER: _ClassVar[int]
    REPORT_MAX_BYTES_FIELD_NUMBER: _ClassVar[int]
    PUSH_QUALITY_REPORT_FREQ_FIELD_NUMBER: _ClassVar[int]
    PULL_QUALITY_REPORT_FREQ_FIELD_NUMBER: _ClassVar[int]
    CHARGE_INFO_REPORT_NO_PLAYING_FIELD_NUMBER: _ClassVar[int]
    report_count: int
    report_retry_interval: int
    push_quality_sample_count: int
    pull_quality_sample_count: int
    hardware_report_cycle: int
    room_user_max_count: int
    room_stream_max_count: int
    charge_info_report_cycle: int
    charge_info_report_mode: int
    report_max_bytes: int
    push_quality_report_freq: int
    pull_quality_report_freq: int
    charge_info_report_no_playing: int
    def __init__(self, report_count: _Optional[int] = ..., report_retry_interval: _Optional[int] = ..., push_quality_sample_count: _Optional[int] = ..., pull_quality_sample_count: _Optional[int] = ..., hardware_report_cycle: _Optional[int] = ..., room_user_max_count: _Optional[int] = ..., room_stream_max_count: _Optional[int] = ..., charge_info_report_cycle: _Optional[int] = ..., charge_info_report_mode: _Optional[int] = ..., report_max_bytes: _Optional[int] = ..., push_quality_report_freq: _Optional[int] = ..., pull_quality_report_freq: _Optional[int] = ..., charge_info_report_no_playing: _Optional[int] = ...) -> None: ...

class CfgMediaConfig(_message.Message):
    __slots__ = ("play_config", "publish_config")
    PLAY_CONFIG_FIELD_NUMBER: _ClassVar[int]
    PUBLISH_CONFIG_FIELD_NUMBER: _ClassVar[int]
    play_config: CfgMediaPlayConfig
    publish_config: CfgMediaPublishConfig
    def __init__(self, play_config: _Optional[_Union[CfgMediaPlayConfig, _Mapping]] = ..., publish_config: _Optional[_Union[CfgMediaPublishConfig, _Mapping]] = ...) -> None: ...

class CfgMediaPlayConfig(_message.Message):
    __slots__ = ("resource_info",)
    RESOURCE_INFO_FIELD_NUMBER: _ClassVar[int]
    resource_info: _containers.RepeatedCompositeFieldContainer[CfgMediaResourceInfo]
    def __init__(self, resource_info: _Optional[_Iterable[_Union[CfgMediaResourceInfo, _Mapping]]] = ...) -> None: ...

class CfgMediaPublishConfig(_message.Message):
    __slots__ = ("resource_info",)
    RESOURCE_INFO_FIELD_NUMBER: _ClassVar[int]
    resource_info: _containers.RepeatedCompositeFieldContainer[CfgMediaResourceInfo]
    def __init__(self, resource_info: _Optional[_Iterable[_Union[CfgMediaResourceInfo, _Mapping]]] = ...) -> None: ...

class CfgMediaResourceInfo(_message.Message):
    __slots__ = ("resource_type", "service_info")
    RESOURCE_TYPE_FIELD_NUMBER: _ClassVar[int]
    SERVICE_INFO_FIELD_NUMBER: _ClassVar[int]
    resource_type: int
    service_info: _containers.RepeatedCompositeFieldContainer[CfgMediaServiceProtocolInfo]
    def __init__(self, resource_type: _Optional[int] = ..., service_info: _Optional[_Iterable[_Union[CfgMediaServiceProtocolInfo, _Mapping]]] = ...) -> None: ...

class CfgMediaServiceProtocolInfo(_message.Message):
    __slots__ = ("config_id", "protocol", "url_template", "resolve_type", "push_cdn_authentication")
    CONFIG_ID_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    URL_TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    RESOLVE_TYPE_FIELD_NUMBER: _ClassVar[int]
    PUSH_CDN_AUTHENTICATION_FIELD_NUMBER: _ClassVar[int]
    config_id: str
    protocol: int
    url_template: str
    resolve_type: int
    push_cdn_authentication: int
    def __init__(self, config_id: _Optional[str] = ..., protocol: _Optional[int] = ..., url_template: _Optional[str] = ..., resolve_type: _Optional[int] = ..., push_cdn_authentication: _Optional[int] = ...) -> None: ...

class SetGetCloudSettingConfigRequest(_message.Message):
    __slots__ = ("product", "response_compress", "file_list", "files", "p_version")
    PRODUCT_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_COMPRESS_FIELD_NUMBER: _ClassVar[int]
    FILE_LIST_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    P_VERSION_FIELD_NUMBER: _ClassVar[int]
    product: int
    response_compress: int
    file_list: _containers.RepeatedScalarFieldContainer[str]
    files: _containers.RepeatedCompositeFieldContainer[SetFile]
    p_version: int
    def __init__(self, product: _Optional[int] = ..., response_compress: _Optional[int] = ..., file_list: _Optional[_Iterable[str]] = ..., files: _Optional[_Iterable[_Union[SetFile, _Mapping]]] = ..., p_version: _Optional[int] = ...) -> None: ...

class SetFile(_message.Message):
    __slots__ = ("file_name", "hash", "g_version")
    FILE_NAME_FIELD_NUMBER: _ClassVar[int]
    HASH_FIELD_NUMBER: _ClassVar[int]
    G_VERSION_FIELD_NUMBER: _ClassVar[int]
    file_name: str
    hash: bytes
    g_version: int
    def __init__(self, file_name: _Optional[str] = ..., hash: _Optional[bytes] = ..., g_version: _Optional[int] = ...) -> None: ...

class SetGetCloudSettingConfigResponse(_message.Message):
    __slots__ = ("code", "message", "polling_interval", "file_response")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    POLLING_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    FILE_RESPONSE_FIELD_NUMBER: _ClassVar[int]
    code: int
    message: str
    polling_interval: int
    file_response: _containers.RepeatedCompositeFieldContainer[SetCloudSettingFileResponse]
    def __init__(self, code: _Optional[int] = ..., message: _Optional[str] = ..., polling_interval: _Optional[int] = ..., file_response: _Optional[_Iterable[_Union[SetCloudSettingFileResponse, _Mapping]]] = ...) -> None: ...

class SetCloudSettingFileResponse(_message.Message):
    __slots__ = ("code", "message", "file_name", "global_version", "version", "app_version", "json_data", "hash", "g_version")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    FILE_NAME_FIELD_NUMBER: _ClassVar[int]
    GLOBAL_VERSION_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    APP_VERSION_FIELD_NUMBER: _ClassVar[int]
    JSON_DATA_FIELD_NUMBER: _ClassVar[int]
    HASH_FIELD_NUMBER: _ClassVar[int]
    G_VERSION_FIELD_NUMBER: _ClassVar[int]
    code: int
    message: str
    file_name: str
    global_version: str
    version: str
    app_version: str
    json_data: bytes
    hash: bytes
    g_version: int
    def __init__(self, code: _Optional[int] = ..., message: _Optional[str] = ..., file_name: _Optional[str] = ..., global_version: _Optional[str] = ..., version: _Optional[str] = ..., app_version: _Optional[str] = ..., json_data: _Optional[bytes] = ..., hash: _Optional[bytes] = ..., g_version: _Optional[int] = ...) -> None: ...

class SwHeader(_message.Message):
    __slots__ = ("cmd", "seq", "timestamp", "controls", "flags", "context_key")
    CMD_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    CONTROLS_FIELD_NUMBER: _ClassVar[int]
    FLAGS_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_KEY_FIELD_NUMBER: _ClassVar[int]
    cmd: int
    seq: int
    timestamp: int
    controls: bytes
    flags: bytes
    context_key: int
    def __init__(self, cmd: _Optional[int] = ..., seq: _Optional[int] = ..., timestamp: _Optional[int] = ..., controls: _Optional[bytes] = ..., flags: _Optional[bytes] = ..., context_key: _Optional[int] = ...) -> None: ...

class SwOlderHeader(_message.Message):
    __slots__ = ("cmd", "seq", "timestamp")
    CMD_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    cmd: str
    seq: int
    timestamp: int
    def __init__(self, cmd: _Optional[str] = ..., seq: _Optional[int] = ..., timestamp: _Optional[int] = ...) -> None: ...

class SwRspHead(_message.Message):
    __slots__ = ("code", "message")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    code: int
    message: str
    def __init__(self, code: _Optional[int] = ..., message: _Optional[str] = ...) -> None: ...

class SwLoginRoomReq(_message.Message):
    __slots__ = ("app_id", "room_id", "role", "id_name", "nick_name", "term_type", "sdk_version", "login_logic", "third_token", "relogin_token", "switch_session_id", "user_session_id", "user_state_flag", "user_count_limit", "relogin_type")
    APP_ID_FIELD_NUMBER: _ClassVar[int]
    ROOM_ID_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    ID_NAME_FIELD_NUMBER: _ClassVar[int]
    NICK_NAME_FIELD_NUMBER: _ClassVar[int]
    TERM_TYPE_FIELD_NUMBER: _ClassVar[int]
    SDK_VERSION_FIELD_NUMBER: _ClassVar[int]
    LOGIN_LOGIC_FIELD_NUMBER: _ClassVar[int]
    THIRD_TOKEN_FIELD_NUMBER: _ClassVar[int]
    RELOGIN_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SWITCH_SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    USER_SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    USER_STATE_FLAG_FIELD_NUMBER: _ClassVar[int]
    USER_COUNT_LIMIT_FIELD_NUMBER: _ClassVar[int]
    RELOGIN_TYPE_FIELD_NUMBER: _ClassVar[int]
    app_id: int
    room_id: bytes
    role: int
    id_name: bytes
    nick_name: bytes
    term_type: int
    sdk_version: int
    login_logic: int
    third_token: bytes
    relogin_token: bytes
    switch_session_id: int
    user_session_id: int
    user_state_flag: int
    user_count_limit: int
    relogin_type: int
    def __init__(self, app_id: _Optional[int] = ..., room_id: _Optional[bytes] = ..., role: _Optional[int] = ..., id_name: _Optional[bytes] = ..., nick_name: _Optional[bytes] = ..., term_type: _Optional[int] = ..., sdk_version: _Optional[int] = ..., login_logic: _Optional[int] = ..., third_token: _Optional[bytes] = ..., relogin_token: _Optional[bytes] = ..., switch_session_id: _Optional[int] = ..., user_session_id: _Optional[int] = ..., user_state_flag: _Optional[int] = ..., user_count_limit: _Optional[int] = ..., relogin_type: _Optional[int] = ...) -> None: ...

class SwLoginRoomRsp(_message.Message):
    __slots__ = ("rsp_head", "switch_session_id", "user_session_id", "room_session_id", "user_id", "ret_timestamp", "big_im_time_window", "liveroom_hb_interval", "liveroom_hb_timeout", "online_count", "anchor_info", "relogin_token", "userlist_merge_timeout", "userlist_interval", "token_remain_time", "trans_list_seq", "trans_channel_list", "stream_count", "stream_list_seq", "stream_info_list", "stream_fetch_flag", "stream_list_push_merge_timeout", "stream_list_hb_merge_timeout")
    RSP_HEAD_FIELD_NUMBER: _ClassVar[int]
    SWITCH_SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    USER_SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    ROOM_SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    RET_TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    BIG_IM_TIME_WINDOW_FIELD_NUMBER: _ClassVar[int]
    LIVEROOM_HB_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    LIVEROOM_HB_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    ONLINE_COUNT_FIELD_NUMBER: _ClassVar[int]
    ANCHOR_INFO_FIELD_NUMBER: _ClassVar[int]
    RELOGIN_TOKEN_FIELD_NUMBER: _ClassVar[int]
    USERLIST_MERGE_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    USERLIST_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    TOKEN_REMAIN_TIME_FIELD_NUMBER: _ClassVar[int]
    TRANS_LIST_SEQ_FIELD_NUMBER: _ClassVar[int]
    TRANS_CHANNEL_LIST_FIELD_NUMBER: _ClassVar[int]
    STREAM_COUNT_FIELD_NUMBER: _ClassVar[int]
    STREAM_LIST_SEQ_FIELD_NUMBER: _ClassVar[int]
    STREAM_INFO_LIST_FIELD_NUMBER: _ClassVar[int]
    STREAM_FETCH_FLAG_FIELD_NUMBER: _ClassVar[int]
    STREAM_LIST_PUSH_MERGE_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    STREAM_LIST_HB_MERGE_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    rsp_head: SwRspHead
    switch_session_id: int
    user_session_id: int
    room_session_id: int
    user_id: int
    ret_timestamp: int
    big_im_time_window: int
    liveroom_hb_interval: int
    liveroom_hb_timeout: int
    online_count: int
    anchor_info: SwAnchorInfo
    relogin_token: bytes
    userlist_merge_timeout: int
    userlist_interval: int
    token_remain_time: int
    trans_list_seq: int
    trans_channel_list: _containers.RepeatedCompositeFieldContainer[SwTransChannel]
    stream_count: int
    stream_list_seq: int
    stream_info_list: _containers.RepeatedCompositeFieldContainer[SwStreamInfo]
    stream_fetch_flag: int
    stream_list_push_merge_timeout: int
    stream_list_hb_merge_timeout: int
    def __init__(self, rsp_head: _Optional[_Union[SwRspHead, _Mapping]] = ..., switch_session_id: _Optional[int] = ..., user_session_id: _Optional[int] = ..., room_session_id: _Optional[int] = ..., user_id: _Optional[int] = ..., ret_timestamp: _Optional[int] = ..., big_im_time_window: _Optional[int] = ..., liveroom_hb_interval: _Optional[int] = ..., liveroom_hb_timeout: _Optional[int] = ..., online_count: _Optional[int] = ..., anchor_info: _Optional[_Union[SwAnchorInfo, _Mapping]] = ..., relogin_token: _Optional[bytes] = ..., userlist_merge_timeout: _Optional[int] = ..., userlist_interval: _Optional[int] = ..., token_remain_time: _Optional[int] = ..., trans_list_seq: _Optional[int] = ..., trans_channel_list: _Optional[_Iterable[_Union[SwTransChannel, _Mapping]]] = ..., stream_count: _Optional[int] = ..., stream_list_seq: _Optional[int] = ..., stream_info_list: _Optional[_Iterable[_Union[SwStreamInfo, _Mapping]]] = ..., stream_fetch_flag: _Optional[int] = ..., stream_list_push_merge_timeout: _Optional[int] = ..., stream_list_hb_merge_timeout: _Optional[int] = ...) -> None: ...

class SwAnchorInfo(_message.Message):
    __slots__ = ("id_name", "user_id", "nick_name")
    ID_NAME_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    NICK_NAME_FIELD_NUMBER: _ClassVar[int]
    id_name: bytes
    user_id: int
    nick_name: bytes
    def __init__(self, id_name: _Optional[bytes] = ..., user_id: _Optional[int] = ..., nick_name: _Optional[bytes] = ...) -> None: ...

class SwStreamInfo(_message.Message):
    __slots__ = ("stream_id", "stream_sid", "id_name", "nick_name", "create_time", "extra_info", "title", "stream_ver", "stream_attr", "stream_src", "stream_state", "stream_type", "stream_nid", "need_gather", "sdk_custom_info", "sdk_custom")
    STREAM_ID_FIELD_NUMBER: _ClassVar[int]
    STREAM_SID_FIELD_NUMBER: _ClassVar[int]
    ID_NAME_FIELD_NUMBER: _ClassVar[int]
    NICK_NAME_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    EXTRA_INFO_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    STREAM_VER_FIELD_NUMBER: _ClassVar[int]
    STREAM_ATTR_FIELD_NUMBER: _ClassVar[int]
    STREAM_SRC_FIELD_NUMBER: _ClassVar[int]
    STREAM_STATE_FIELD_NUMBER: _ClassVar[int]
    STREAM_TYPE_FIELD_NUMBER: _ClassVar[int]
    STREAM_NID_FIELD_NUMBER: _ClassVar[int]
    NEED_GATHER_FIELD_NUMBER: _ClassVar[int]
    SDK_CUSTOM_INFO_FIELD_NUMBER: _ClassVar[int]
    SDK_CUSTOM_FIELD_NUMBER: _ClassVar[int]
    stream_id: bytes
    stream_sid: str
    id_name: bytes
    nick_name: bytes
    create_time: int
    extra_info: bytes
    title: bytes
    stream_ver: int
    stream_attr: bytes
    stream_src: int
    stream_state: int
    stream_type: int
    stream_nid: int
    need_gather: int
    sdk_custom_info: bytes
    sdk_custom: bytes
    def __init__(self, stream_id: _Optional[bytes] = ..., stream_sid: _Optional[str] = ..., id_name: _Optional[bytes] = ..., nick_name: _Optional[bytes] = ..., create_time: _Optional[int] = ..., extra_info: _Optional[bytes] = ..., title: _Optional[bytes] = ..., stream_ver: _Optional[int] = ..., stream_attr: _Optional[bytes] = ..., stream_src: _Optional[int] = ..., stream_state: _Optional[int] = ..., stream_type: _Optional[int] = ..., stream_nid: _Optional[int] = ..., need_gather: _Optional[int] = ..., sdk_custom_info: _Optional[bytes] = ..., sdk_custom: _Optional[bytes] = ...) -> None: ...

class SwTransChannel(_message.Message):
    __slots__ = ("trans_channel", "trans_seq_list")
    TRANS_CHANNEL_FIELD_NUMBER: _ClassVar[int]
    TRANS_SEQ_LIST_FIELD_NUMBER: _ClassVar[int]
    trans_channel: bytes
    trans_seq_list: _containers.RepeatedCompositeFieldContainer[SwTransSeq]
    def __init__(self, trans_channel: _Optional[bytes] = ..., trans_seq_list: _Optional[_Iterable[_Union[SwTransSeq, _Mapping]]] = ...) -> None: ...

class SwTransSeq(_message.Message):
    __slots__ = ("trans_type", "trans_seq")
    TRANS_TYPE_FIELD_NUMBER: _ClassVar[int]
    TRANS_SEQ_FIELD_NUMBER: _ClassVar[int]
    trans_type: bytes
    trans_seq: int
    def __init__(self, trans_type: _Optional[bytes] = ..., trans_seq: _Optional[int] = ...) -> None: ...

class SwLogoutRoomReq(_message.Message):
    __slots__ = ("logout_check",)
    LOGOUT_CHECK_FIELD_NUMBER: _ClassVar[int]
    logout_check: bytes
    def __init__(self, logout_check: _Optional[bytes] = ...) -> None: ...

class SwLogoutRoomRsp(_message.Message):
    __slots__ = ("rsp_head",)
    RSP_HEAD_FIELD_NUMBER: _ClassVar[int]
    rsp_head: SwRspHead
    def __init__(self, rsp_head: _Optional[_Union[SwRspHead, _Mapping]] = ...) -> None: ...

class SwPushReq(_message.Message):
    __slots__ = ("head", "msg_body")
    HEAD_FIELD_NUMBER: _ClassVar[int]
    MSG_BODY_FIELD_NUMBER: _ClassVar[int]
    head: SwPushReqHead
    msg_body: bytes
    def __init__(self, head: _Optional[_Union[SwPushReqHead, _Mapping]] = ..., msg_body: _Optional[bytes] = ...) -> None: ...

class SwPushReqHead(_message.Message):
    __slots__ = ("sub_cmd", "qos_flag", "send_time")
    SUB_CMD_FIELD_NUMBER: _ClassVar[int]
    QOS_FLAG_FIELD_NUMBER: _ClassVar[int]
    SEND_TIME_FIELD_NUMBER: _ClassVar[int]
    sub_cmd: int
    qos_flag: int
    send_time: int
    def __init__(self, sub_cmd: _Optional[int] = ..., qos_flag: _Optional[int] = ..., send_time: _Optional[int] = ...) -> None: ...

class SwMergePushReq(_message.Message):
    __slots__ = ("head", "message_list")
    HEAD_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_LIST_FIELD_NUMBER: _ClassVar[int]
    head: SwMergePushHead
    message_list: _containers.RepeatedCompositeFieldContainer[SwMergePushInfo]
    def __init__(self, head: _Optional[_Union[SwMergePushHead, _Mapping]] = ..., message_list: _Optional[_Iterable[_Union[SwMergePushInfo, _Mapping]]] = ...) -> None: ...

class SwMergePushHead(_message.Message):
    __slots__ = ("qos_flag", "send_time")
    QOS_FLAG_FIELD_NUMBER: _ClassVar[int]
    SEND_TIME_FIELD_NUMBER: _ClassVar[int]
    qos_flag: int
    send_time: int
    def __init__(self, qos_flag: _Optional[int] = ..., send_time: _Optional[int] = ...) -> None: ...

class SwMergePushInfo(_message.Message):
    __slots__ = ("sub_cmd", "sub_seq", "msg_body")
    SUB_CMD_FIELD_NUMBER: _ClassVar[int]
    SUB_SEQ_FIELD_NUMBER: _ClassVar[int]
    MSG_BODY_FIELD_NUMBER: _ClassVar[int]
    sub_cmd: int
    sub_seq: int
    msg_body: bytes
    def __init__(self, sub_cmd: _Optional[int] = ..., sub_seq: _Optional[int] = ..., msg_body: _Optional[bytes] = ...) -> None: ...

class SwPushKickout(_message.Message):
    __slots__ = ("reason", "message", "is_need_relogin")
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    IS_NEED_RELOGIN_FIELD_NUMBER: _ClassVar[int]
    reason: int
    message: str
    is_need_relogin: int
    def __init__(self, reason: _Optional[int] = ..., message: _Optional[str] = ..., is_need_relogin: _Optional[int] = ...) -> None: ...

class LrRspHead(_message.Message):
    __slots__ = ("code", "message")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    code: int
    message: str
    def __init__(self, code: _Optional[int] = ..., message: _Optional[str] = ...) -> None: ...

class LrCommonRsp(_message.Message):
    __slots__ = ("rsp_head",)
    RSP_HEAD_FIELD_NUMBER: _ClassVar[int]
    rsp_head: LrRspHead
    def __init__(self, rsp_head: _Optional[_Union[LrRspHead, _Mapping]] = ...) -> None: ...

class LrEnterRoomReq(_message.Message):
    __slots__ = ("room_id", "role", "third_token", "user_state_flag", "user_count_limit", "user_session_id")
    ROOM_ID_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    THIRD_TOKEN_FIELD_NUMBER: _ClassVar[int]
    USER_STATE_FLAG_FIELD_NUMBER: _ClassVar[int]
    USER_COUNT_LIMIT_FIELD_NUMBER: _ClassVar[int]
    USER_SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    room_id: bytes
    role: int
    third_token: bytes
    user_state_flag: int
    user_count_limit: int
    user_session_id: int
    def __init__(self, room_id: _Optional[bytes] = ..., role: _Optional[int] = ..., third_token: _Optional[bytes] = ..., user_state_flag: _Optional[int] = ..., user_count_limit: _Optional[int] = ..., user_session_id: _Optional[int] = ...) -> None: ...

class LrEnterRoomRsp(_message.Message):
    __slots__ = ("rsp_head", "user_session_id", "room_session_id", "user_id", "ret_timestamp", "big_im_time_window", "liveroom_hb_interval", "liveroom_hb_timeout", "online_count", "anchor_info", "userlist_merge_timeout", "userlist_interval", "token_remain_time", "trans_list_seq", "trans_channel_list", "stream_count", "stream_list_seq", "stream_info_list", "stream_fetch_flag", "stream_list_push_merge_timeout", "stream_list_hb_merge_timeout")
    RSP_HEAD_FIELD_NUMBER: _ClassVar[int]
    USER_SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    ROOM_SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    RET_TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    BIG_IM_TIME_WINDOW_FIELD_NUMBER: _ClassVar[int]
    LIVEROOM_HB_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    LIVEROOM_HB_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    ONLINE_COUNT_FIELD_NUMBER: _ClassVar[int]
    ANCHOR_INFO_FIELD_NUMBER: _ClassVar[int]
    USERLIST_MERGE_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    USERLIST_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    TOKEN_REMAIN_TIME_FIELD_NUMBER: _ClassVar[int]
    TRANS_LIST_SEQ_FIELD_NUMBER: _ClassVar[int]
    TRANS_CHANNEL_LIST_FIELD_NUMBER: _ClassVar[int]
    STREAM_COUNT_FIELD_NUMBER: _ClassVar[int]
    STREAM_LIST_SEQ_FIELD_NUMBER: _ClassVar[int]
    STREAM_INFO_LIST_FIELD_NUMBER: _ClassVar[int]
    STREAM_FETCH_FLAG_FIELD_NUMBER: _ClassVar[int]
    STREAM_LIST_PUSH_MERGE_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    STREAM_LIST_HB_MERGE_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    rsp_head: LrRspHead
    user_session_id: int
    room_session_id: int
    user_id: int
    ret_timestamp: int
    big_im_time_window: int
    liveroom_hb_interval: int
    liveroom_hb_timeout: int
    online_count: int
    anchor_info: LrAnchorInfo
    userlist_merge_timeout: int
    userlist_interval: int
    token_remain_time: int
    trans_list_seq: int
    trans_channel_list: _containers.RepeatedCompositeFieldContainer[LrTransChannel]
    stream_count: int
    stream_list_seq: int
    stream_info_list: _containers.RepeatedCompositeFieldContainer[LrStreamInfo]
    stream_fetch_flag: int
    stream_list_push_merge_timeout: int
    stream_list_hb_merge_timeout: int
    def __init__(self, rsp_head: _Optional[_Union[LrRspHead, _Mapping]] = ..., user_session_id: _Optional[int] = ..., room_session_id: _Optional[int] = ..., user_id: _Optional[int] = ..., ret_timestamp: _Optional[int] = ..., big_im_time_window: _Optional[int] = ..., liveroom_hb_interval: _Optional[int] = ..., liveroom_hb_timeout: _Optional[int] = ..., online_count: _Optional[int] = ..., anchor_info: _Optional[_Union[LrAnchorInfo, _Mapping]] = ..., userlist_merge_timeout: _Optional[int] = ..., userlist_interval: _Optional[int] = ..., token_remain_time: _Optional[int] = ..., trans_list_seq: _Optional[int] = ..., trans_channel_list: _Optional[_Iterable[_Union[LrTransChannel, _Mapping]]] = ..., stream_count: _Optional[int] = ..., stream_list_seq: _Optional[int] = ..., stream_info_list: _Optional[_Iterable[_Union[LrStreamInfo, _Mapping]]] = ..., stream_fetch_flag: _Optional[int] = ..., stream_list_push_merge_timeout: _Optional[int] = ..., stream_list_hb_merge_timeout: _Optional[int] = ...) -> None: ...

class LrAnchorInfo(_message.Message):
    __slots__ = ("id_name", "user_id", "nick_name")
    ID_NAME_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    NICK_NAME_FIELD_NUMBER: _ClassVar[int]
    id_name: bytes
    user_id: int
    nick_name: bytes
    def __init__(self, id_name: _Optional[bytes] = ..., user_id: _Optional[int] = ..., nick_name: _Optional[bytes] = ...) -> None: ...

class LrTransChannel(_message.Message):
    __slots__ = ("trans_channel", "trans_seq_list")
    TRANS_CHANNEL_FIELD_NUMBER: _ClassVar[int]
    TRANS_SEQ_LIST_FIELD_NUMBER: _ClassVar[int]
    trans_channel: bytes
    trans_seq_list: _containers.RepeatedCompositeFieldContainer[LrTransSeq]
    def __init__(self, trans_channel: _Optional[bytes] = ..., trans_seq_list: _Optional[_Iterable[_Union[LrTransSeq, _Mapping]]] = ...) -> None: ...

class LrTransSeq(_message.Message):
    __slots__ = ("trans_type", "trans_seq")
    TRANS_TYPE_FIELD_NUMBER: _ClassVar[int]
    TRANS_SEQ_FIELD_NUMBER: _ClassVar[int]
    trans_type: bytes
    trans_seq: int
    def __init__(self, trans_type: _Optional[bytes] = ..., trans_seq: _Optional[int] = ...) -> None: ...

class LrStreamInfo(_message.Message):
    __slots__ = ("stream_id", "stream_sid", "id_name", "nick_name", "stream_title", "stream_ver", "stream_attr", "create_time", "stream_src", "stream_state", "stream_type", "stream_nid", "extra_info", "need_gather", "sdk_custom_info", "sdk_custom")
    STREAM_ID_FIELD_NUMBER: _ClassVar[int]
    STREAM_SID_FIELD_NUMBER: _ClassVar[int]
    ID_NAME_FIELD_NUMBER: _ClassVar[int]
    NICK_NAME_FIELD_NUMBER: _ClassVar[int]
    STREAM_TITLE_FIELD_NUMBER: _ClassVar[int]
    STREAM_VER_FIELD_NUMBER: _ClassVar[int]
    STREAM_ATTR_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    STREAM_SRC_FIELD_NUMBER: _ClassVar[int]
    STREAM_STATE_FIELD_NUMBER: _ClassVar[int]
    STREAM_TYPE_FIELD_NUMBER: _ClassVar[int]
    STREAM_NID_FIELD_NUMBER: _ClassVar[int]
    EXTRA_INFO_FIELD_NUMBER: _ClassVar[int]
    NEED_GATHER_FIELD_NUMBER: _ClassVar[int]
    SDK_CUSTOM_INFO_FIELD_NUMBER: _ClassVar[int]
    SDK_CUSTOM_FIELD_NUMBER: _ClassVar[int]
    stream_id: bytes
    stream_sid: str
    id_name: bytes
    nick_name: bytes
    stream_title: bytes
    stream_ver: int
    stream_attr: bytes
    create_time: int
    stream_src: int
    stream_state: int
    stream_type: int
    stream_nid: int
    extra_info: bytes
    need_gather: int
    sdk_custom_info: bytes
    sdk_custom: bytes
    def __init__(self, stream_id: _Optional[bytes] = ..., stream_sid: _Optional[str] = ..., id_name: _Optional[bytes] = ..., nick_name: _Optional[bytes] = ..., stream_title: _Optional[bytes] = ..., stream_ver: _Optional[int] = ..., stream_attr: _Optional[bytes] = ..., create_time: _Optional[int] = ..., stream_src: _Optional[int] = ..., stream_state: _Optional[int] = ..., stream_type: _Optional[int] = ..., stream_nid: _Optional[int] = ..., extra_info: _Optional[bytes] = ..., need_gather: _Optional[int] = ..., sdk_custom_info: _Optional[bytes] = ..., sdk_custom: _Optional[bytes] = ...) -> None: ...

class LrQuitRoomReq(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class LrQuitRoomRsp(_message.Message):
    __slots__ = ("rsp_head",)
    RSP_HEAD_FIELD_NUMBER: _ClassVar[int]
    rsp_head: LrRspHead
    def __init__(self, rsp_head: _Optional[_Union[LrRspHead, _Mapping]] = ...) -> None: ...

class LrHbReq(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class LrHbRsp(_message.Message):
    __slots__ = ("rsp_head", "ret_timestamp", "hb_interval", "hb_timeout", "stream_seq", "user_seq", "online_count", "big_im_time_window", "trans_channel_list", "stream_refresh", "trans_list_seq", "gather_list_seq", "capability_seq")
    RSP_HEAD_FIELD_NUMBER: _ClassVar[int]
    RET_TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    HB_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    HB_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    STREAM_SEQ_FIELD_NUMBER: _ClassVar[int]
    USER_SEQ_FIELD_NUMBER: _ClassVar[int]
    ONLINE_COUNT_FIELD_NUMBER: _ClassVar[int]
    BIG_IM_TIME_WINDOW_FIELD_NUMBER: _ClassVar[int]
    TRANS_CHANNEL_LIST_FIELD_NUMBER: _ClassVar[int]
    STREAM_REFRESH_FIELD_NUMBER: _ClassVar[int]
    TRANS_LIST_SEQ_FIELD_NUMBER: _ClassVar[int]
    GATHER_LIST_SEQ_FIELD_NUMBER: _ClassVar[int]
    CAPABILITY_SEQ_FIELD_NUMBER: _ClassVar[int]
    rsp_head: LrRspHead
    ret_timestamp: int
    hb_interval: int
    hb_timeout: int
    stream_seq: int
    user_seq: int
    online_count: int
    big_im_time_window: int
    trans_channel_list: _containers.RepeatedCompositeFieldContainer[LrTransChannel]
    stream_refresh: int
    trans_list_seq: int
    gather_list_seq: int
    capability_seq: int
    def __init__(self, rsp_head: _Optional[_Union[LrRspHead, _Mapping]] = ..., ret_timestamp: _Optional[int] = ..., hb_interval: _Optional[int] = ..., hb_timeout: _Optional[int] = ..., stream_seq: _Optional[int] = ..., user_seq: _Optional[int] = ..., online_count: _Optional[int] = ..., big_im_time_window: _Optional[int] = ..., trans_channel_list: _Optional[_Iterable[_Union[LrTransChannel, _Mapping]]] = ..., stream_refresh: _Optional[int] = ..., trans_list_seq: _Optional[int] = ..., gather_list_seq: _Optional[int] = ..., capability_seq: _Optional[int] = ...) -> None: ...

class LrRenewTokenReq(_message.Message):
    __slots__ = ("token",)
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    token: str
    def __init__(self, token: _Optional[str] = ...) -> None: ...

class LrRenewTokenRsp(_message.Message):
    __slots__ = ("rsp_head", "token_remain_time", "stop_stream_id_list")
    RSP_HEAD_FIELD_NUMBER: _ClassVar[int]
    TOKEN_REMAIN_TIME_FIELD_NUMBER: _ClassVar[int]
    STOP_STREAM_ID_LIST_FIELD_NUMBER: _ClassVar[int]
    rsp_head: LrRspHead
    token_remain_time: int
    stop_stream_id_list: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, rsp_head: _Optional[_Union[LrRspHead, _Mapping]] = ..., token_remain_time: _Optional[int] = ..., stop_stream_id_list: _Optional[_Iterable[bytes]] = ...) -> None: ...

class LrGetUserlistReq(_message.Message):
    __slots__ = ("sort_type", "user_index")
    SORT_TYPE_FIELD_NUMBER: _ClassVar[int]
    USER_INDEX_FIELD_NUMBER: _ClassVar[int]
    sort_type: int
    user_index: int
    def __init__(self, sort_type: _Optional[int] = ..., user_index: _Optional[int] = ...) -> None: ...

class LrGetUserlistRsp(_message.Message):
    __slots__ = ("rsp_head", "server_user_seq", "server_user_index", "ret_user_index", "user_base_info_list")
    RSP_HEAD_FIELD_NUMBER: _ClassVar[int]
    SERVER_USER_SEQ_FIELD_NUMBER: _ClassVar[int]
    SERVER_USER_INDEX_FIELD_NUMBER: _ClassVar[int]
    RET_USER_INDEX_FIELD_NUMBER: _ClassVar[int]
    USER_BASE_INFO_LIST_FIELD_NUMBER: _ClassVar[int]
    rsp_head: LrRspHead
    server_user_seq: int
    server_user_index: int
    ret_user_index: int
    user_base_info_list: _containers.RepeatedCompositeFieldContainer[LrUserBaseInfo]
    def __init__(self, rsp_head: _Optional[_Union[LrRspHead, _Mapping]] = ..., server_user_seq: _Optional[int] = ..., server_user_index: _Optional[int] = ..., ret_user_index: _Optional[int] = ..., user_base_info_list: _Optional[_Iterable[_Union[LrUserBaseInfo, _Mapping]]] = ...) -> None: ...

class LrUserBaseInfo(_message.Message):
    __slots__ = ("id_name", "nick_name", "role")
    ID_NAME_FIELD_NUMBER: _ClassVar[int]
    NICK_NAME_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    id_name: bytes
    nick_name: bytes
    role: int
    def __init__(self, id_name: _Optional[bytes] = ..., nick_name: _Optional[bytes] = ..., role: _Optional[int] = ...) -> None: ...

class LrAddStreamReq(_message.Message):
    __slots__ = ("stream_id", "extra_info", "client_req_seq", "third_token")
    STREAM_ID_FIELD_NUMBER: _ClassVar[int]
    EXTRA_INFO_FIELD_NUMBER: _ClassVar[int]
    CLIENT_REQ_SEQ_FIELD_NUMBER: _ClassVar[int]
    THIRD_TOKEN_FIELD_NUMBER: _ClassVar[int]
    stream_id: bytes
    extra_info: bytes
    client_req_seq: int
    third_token: bytes
    def __init__(self, stream_id: _Optional[bytes] = ..., extra_info: _Optional[bytes] = ..., client_req_seq: _Optional[int] = ..., third_token: _Optional[bytes] = ...) -> None: ...

class LrAddStreamRsp(_message.Message):
    __slots__ = ("rsp_head", "stream_seq", "stream_sid", "stream_ver", "stream_nid", "token_remain_time")
    RSP_HEAD_FIELD_NUMBER: _ClassVar[int]
    STREAM_SEQ_FIELD_NUMBER: _ClassVar[int]
    STREAM_SID_FIELD_NUMBER: _ClassVar[int]
    STREAM_VER_FIELD_NUMBER: _ClassVar[int]
    STREAM_NID_FIELD_NUMBER: _ClassVar[int]
    TOKEN_REMAIN_TIME_FIELD_NUMBER: _ClassVar[int]
    rsp_head: LrRspHead
    stream_seq: int
    stream_sid: str
    stream_ver: int
    stream_nid: int
    token_remain_time: int
    def __init__(self, rsp_head: _Optional[_Union[LrRspHead, _Mapping]] = ..., stream_seq: _Optional[int] = ..., stream_sid: _Optional[str] = ..., stream_ver: _Optional[int] = ..., stream_nid: _Optional[int] = ..., token_remain_time: _Optional[int] = ...) -> None: ...

class LrDeleteStreamReq(_message.Message):
    __slots__ = ("stream_sid", "stream_id", "client_req_seq")
    STREAM_SID_FIELD_NUMBER: _ClassVar[int]
    STREAM_ID_FIELD_NUMBER: _ClassVar[int]
    CLIENT_REQ_SEQ_FIELD_NUMBER: _ClassVar[int]
    stream_sid: str
    stream_id: bytes
    client_req_seq: int
    def __init__(self, stream_sid: _Optional[str] = ..., stream_id: _Optional[bytes] = ..., client_req_seq: _Optional[int] = ...) -> None: ...

class LrDeleteStreamRsp(_message.Message):
    __slots__ = ("rsp_head", "stream_seq", "stream_ver")
    RSP_HEAD_FIELD_NUMBER: _ClassVar[int]
    STREAM_SEQ_FIELD_NUMBER: _ClassVar[int]
    STREAM_VER_FIELD_NUMBER: _ClassVar[int]
    rsp_head: LrRspHead
    stream_seq: int
    stream_ver: int
    def __init__(self, rsp_head: _Optional[_Union[LrRspHead, _Mapping]] = ..., stream_seq: _Optional[int] = ..., stream_ver: _Optional[int] = ...) -> None: ...

class LrUpdateStreamReq(_message.Message):
    __slots__ = ("stream_sid", "stream_id", "extra_info", "client_req_seq")
    STREAM_SID_FIELD_NUMBER: _ClassVar[int]
    STREAM_ID_FIELD_NUMBER: _ClassVar[int]
    EXTRA_INFO_FIELD_NUMBER: _ClassVar[int]
    CLIENT_REQ_SEQ_FIELD_NUMBER: _ClassVar[int]
    stream_sid: str
    stream_id: bytes
    extra_info: bytes
    client_req_seq: int
    def __init__(self, stream_sid: _Optional[str] = ..., stream_id: _Optional[bytes] = ..., extra_info: _Optional[bytes] = ..., client_req_seq: _Optional[int] = ...) -> None: ...

class LrUpdateStreamRsp(_message.Message):
    __slots__ = ("rsp_head", "stream_seq", "stream_ver")
    RSP_HEAD_FIELD_NUMBER: _ClassVar[int]
    STREAM_SEQ_FIELD_NUMBER: _ClassVar[int]
    STREAM_VER_FIELD_NUMBER: _ClassVar[int]
    rsp_head: LrRspHead
    stream_seq: int
    stream_ver: int
    def __init__(self, rsp_head: _Optional[_Union[LrRspHead, _Mapping]] = ..., stream_seq: _Optional[int] = ..., stream_ver: _Optional[int] = ...) -> None: ...

class LrGetStreamListReq(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class LrGetStreamListRsp(_message.Message):
    __slots__ = ("rsp_head", "stream_list_seq", "stream_info_list", "stream_refresh")
    RSP_HEAD_FIELD_NUMBER: _ClassVar[int]
    STREAM_LIST_SEQ_FIELD_NUMBER: _ClassVar[int]
    STREAM_INFO_LIST_FIELD_NUMBER: _ClassVar[int]
    STREAM_REFRESH_FIELD_NUMBER: _ClassVar[int]
    rsp_head: LrRspHead
    stream_list_seq: int
    stream_info_list: _containers.RepeatedCompositeFieldContainer[LrStreamInfo]
    stream_refresh: int
    def __init__(self, rsp_head: _Optional[_Union[LrRspHead, _Mapping]] = ..., stream_list_seq: _Optional[int] = ..., stream_info_list: _Optional[_Iterable[_Union[LrStreamInfo, _Mapping]]] = ..., stream_refresh: _Optional[int] = ...) -> None: ...

class LrToUser(_message.Message):
    __slots__ = ("id_name", "user_id")
    ID_NAME_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    id_name: bytes
    user_id: int
    def __init__(self, id_name: _Optional[bytes] = ..., user_id: _Optional[int] = ...) -> None: ...

class LrSendImReq(_message.Message):
    __slots__ = ("msg_category", "msg_type", "msg_content", "to_user_list")
    MSG_CATEGORY_FIELD_NUMBER: _ClassVar[int]
    MSG_TYPE_FIELD_NUMBER: _ClassVar[int]
    MSG_CONTENT_FIELD_NUMBER: _ClassVar[int]
    TO_USER_LIST_FIELD_NUMBER: _ClassVar[int]
    msg_category: int
    msg_type: int
    msg_content: bytes
    to_user_list: _containers.RepeatedCompositeFieldContainer[LrToUser]
    def __init__(self, msg_category: _Optional[int] = ..., msg_type: _Optional[int] = ..., msg_content: _Optional[bytes] = ..., to_user_list: _Optional[_Iterable[_Union[LrToUser, _Mapping]]] = ...) -> None: ...

class LrSendImRsp(_message.Message):
    __slots__ = ("rsp_head", "msg_id")
    RSP_HEAD_FIELD_NUMBER: _ClassVar[int]
    MSG_ID_FIELD_NUMBER: _ClassVar[int]
    rsp_head: LrRspHead
    msg_id: int
    def __init__(self, rsp_head: _Optional[_Union[LrRspHead, _Mapping]] = ..., msg_id: _Optional[int] = ...) -> None: ...

class LrSendBigImReq(_message.Message):
    __slots__ = ("msg_list",)
    MSG_LIST_FIELD_NUMBER: _ClassVar[int]
    msg_list: _containers.RepeatedCompositeFieldContainer[LrSendBigImReqMsgData]
    def __init__(self, msg_list: _Optional[_Iterable[_Union[LrSendBigImReqMsgData, _Mapping]]] = ...) -> None: ...

class LrSendBigImReqMsgData(_message.Message):
    __slots__ = ("msg_category", "msg_type", "msg_content", "msg_timestamp", "msg_client_id")
    MSG_CATEGORY_FIELD_NUMBER: _ClassVar[int]
    MSG_TYPE_FIELD_NUMBER: _ClassVar[int]
    MSG_CONTENT_FIELD_NUMBER: _ClassVar[int]
    MSG_TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    MSG_CLIENT_ID_FIELD_NUMBER: _ClassVar[int]
    msg_category: int
    msg_type: int
    msg_content: bytes
    msg_timestamp: int
    msg_client_id: bytes
    def __init__(self, msg_category: _Optional[int] = ..., msg_type: _Optional[int] = ..., msg_content: _Optional[bytes] = ..., msg_timestamp: _Optional[int] = ..., msg_client_id: _Optional[bytes] = ...) -> None: ...

class LrSendBigImRsp(_message.Message):
    __slots__ = ("rsp_head", "big_im_time_window", "msg_list")
    RSP_HEAD_FIELD_NUMBER: _ClassVar[int]
    BIG_IM_TIME_WINDOW_FIELD_NUMBER: _ClassVar[int]
    MSG_LIST_FIELD_NUMBER: _ClassVar[int]
    rsp_head: LrRspHead
    big_im_time_window: int
    msg_list: _containers.RepeatedCompositeFieldContainer[LrSendBigImRspMsgData]
    def __init__(self, rsp_head: _Optional[_Union[LrRspHead, _Mapping]] = ..., big_im_time_window: _Optional[int] = ..., msg_list: _Optional[_Iterable[_Union[LrSendBigImRspMsgData, _Mapping]]] = ...) -> None: ...

class LrSendBigImRspMsgData(_message.Message):
    __slots__ = ("msg_id", "msg_client_id")
    MSG_ID_FIELD_NUMBER: _ClassVar[int]
    MSG_CLIENT_ID_FIELD_NUMBER: _ClassVar[int]
    msg_id: bytes
    msg_client_id: bytes
    def __init__(self, msg_id: _Optional[bytes] = ..., msg_client_id: _Optional[bytes] = ...) -> None: ...

class LrSignalLiveCustomReq(_message.Message):
    __slots__ = ("push_message", "to_user_list")
    PUSH_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    TO_USER_LIST_FIELD_NUMBER: _ClassVar[int]
    push_message: bytes
    to_user_list: _containers.RepeatedCompositeFieldContainer[LrToUser]
    def __init__(self, push_message: _Optional[bytes] = ..., to_user_list: _Optional[_Iterable[_Union[LrToUser, _Mapping]]] = ...) -> None: ...

class LrSignalLiveCustomRsp(_message.Message):
    __slots__ = ("rsp_head",)
    RSP_HEAD_FIELD_NUMBER: _ClassVar[int]
    rsp_head: LrRspHead
    def __init__(self, rsp_head: _Optional[_Union[LrRspHead, _Mapping]] = ...) -> None: ...

class LrSetTransReq(_message.Message):
    __slots__ = ("trans_type", "trans_data", "trans_local_seq", "trans_channel")
    TRANS_TYPE_FIELD_NUMBER: _ClassVar[int]
    TRANS_DATA_FIELD_NUMBER: _ClassVar[int]
    TRANS_LOCAL_SEQ_FIELD_NUMBER: _ClassVar[int]
    TRANS_CHANNEL_FIELD_NUMBER: _ClassVar[int]
    trans_type: bytes
    trans_data: bytes
    trans_local_seq: int
    trans_channel: bytes
    def __init__(self, trans_type: _Optional[bytes] = ..., trans_data: _Optional[bytes] = ..., trans_local_seq: _Optional[int] = ..., trans_channel: _Optional[bytes] = ...) -> None: ...

class LrSetTransRsp(_message.Message):
    __slots__ = ("rsp_head", "trans_type", "trans_seq", "trans_list_seq", "trans_channel")
    RSP_HEAD_FIELD_NUMBER: _ClassVar[int]
    TRANS_TYPE_FIELD_NUMBER: _ClassVar[int]
    TRANS_SEQ_FIELD_NUMBER: _ClassVar[int]
    TRANS_LIST_SEQ_FIELD_NUMBER: _ClassVar[int]
    TRANS_CHANNEL_FIELD_NUMBER: _ClassVar[int]
    rsp_head: LrRspHead
    trans_type: bytes
    trans_seq: int
    trans_list_seq: int
    trans_channel: bytes
    def __init__(self, rsp_head: _Optional[_Union[LrRspHead, _Mapping]] = ..., trans_type: _Optional[bytes] = ..., trans_seq: _Optional[int] = ..., trans_list_seq: _Optional[int] = ..., trans_channel: _Optional[bytes] = ...) -> None: ...

class LrGetTransReq(_message.Message):
    __slots__ = ("trans_channel", "trans_list")
    TRANS_CHANNEL_FIELD_NUMBER: _ClassVar[int]
    TRANS_LIST_FIELD_NUMBER: _ClassVar[int]
    trans_channel: bytes
    trans_list: _containers.RepeatedCompositeFieldContainer[LrGetTransReqTransData]
    def __init__(self, trans_channel: _Optional[bytes] = ..., trans_list: _Optional[_Iterable[_Union[LrGetTransReqTransData, _Mapping]]] = ...) -> None: ...

class LrGetTransReqTransData(_message.Message):
    __slots__ = ("trans_type", "trans_local_seq")
    TRANS_TYPE_FIELD_NUMBER: _ClassVar[int]
    TRANS_LOCAL_SEQ_FIELD_NUMBER: _ClassVar[int]
    trans_type: bytes
    trans_local_seq: int
    def __init__(self, trans_type: _Optional[bytes] = ..., trans_local_seq: _Optional[int] = ...) -> None: ...

class LrGetTransRsp(_message.Message):
    __slots__ = ("rsp_head", "trans_channel", "trans_list_seq", "trans_list")
    RSP_HEAD_FIELD_NUMBER: _ClassVar[int]
    TRANS_CHANNEL_FIELD_NUMBER: _ClassVar[int]
    TRANS_LIST_SEQ_FIELD_NUMBER: _ClassVar[int]
    TRANS_LIST_FIELD_NUMBER: _ClassVar[int]
    rsp_head: LrRspHead
    trans_channel: bytes
    trans_list_seq: int
    trans_list: _containers.RepeatedCompositeFieldContainer[LrGetTransRspTransData]
    def __init__(self, rsp_head: _Optional[_Union[LrRspHead, _Mapping]] = ..., trans_channel: _Optional[bytes] = ..., trans_list_seq: _Optional[int] = ..., trans_list: _Optional[_Iterable[_Union[LrGetTransRspTransData, _Mapping]]] = ...) -> None: ...

class LrGetTransRspTransData(_message.Message):
    __slots__ = ("err_code", "trans_type", "trans_data", "trans_send_time", "trans_seq", "id_name", "nick_name", "role")
    ERR_CODE_FIELD_NUMBER: _ClassVar[int]
    TRANS_TYPE_FIELD_NUMBER: _ClassVar[int]
    TRANS_DATA_FIELD_NUMBER: _ClassVar[int]
    TRANS_SEND_TIME_FIELD_NUMBER: _ClassVar[int]
    TRANS_SEQ_FIELD_NUMBER: _ClassVar[int]
    ID_NAME_FIELD_NUMBER: _ClassVar[int]
    NICK_NAME_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    err_code: int
    trans_type: bytes
    trans_data: bytes
    trans_send_time: int
    trans_seq: int
    id_name: bytes
    nick_name: bytes
    role: int
    def __init__(self, err_code: _Optional[int] = ..., trans_type: _Optional[bytes] = ..., trans_data: _Optional[bytes] = ..., trans_send_time: _Optional[int] = ..., trans_seq: _Optional[int] = ..., id_name: _Optional[bytes] = ..., nick_name: _Optional[bytes] = ..., role: _Optional[int] = ...) -> None: ...

class LrSignalTransparentMsgReq(_message.Message):
    __slots__ = ("msg_type", "msg_data", "to_user_list", "client_seq")
    MSG_TYPE_FIELD_NUMBER: _ClassVar[int]
    MSG_DATA_FIELD_NUMBER: _ClassVar[int]
    TO_USER_LIST_FIELD_NUMBER: _ClassVar[int]
    CLIENT_SEQ_FIELD_NUMBER: _ClassVar[int]
    msg_type: int
    msg_data: bytes
    to_user_list: _containers.RepeatedScalarFieldContainer[bytes]
    client_seq: int
    def __init__(self, msg_type: _Optional[int] = ..., msg_data: _Optional[bytes] = ..., to_user_list: _Optional[_Iterable[bytes]] = ..., client_seq: _Optional[int] = ...) -> None: ...

class LrSignalTransparentMsgRsp(_message.Message):
    __slots__ = ("rsp_head",)
    RSP_HEAD_FIELD_NUMBER: _ClassVar[int]
    rsp_head: LrRspHead
    def __init__(self, rsp_head: _Optional[_Union[LrRspHead, _Mapping]] = ...) -> None: ...

class LrSendChannelMsgReq(_message.Message):
    __slots__ = ("channel_type", "msg_type", "msg_content", "to_user_list")
    CHANNEL_TYPE_FIELD_NUMBER: _ClassVar[int]
    MSG_TYPE_FIELD_NUMBER: _ClassVar[int]
    MSG_CONTENT_FIELD_NUMBER: _ClassVar[int]
    TO_USER_LIST_FIELD_NUMBER: _ClassVar[int]
    channel_type: int
    msg_type: int
    msg_content: bytes
    to_user_list: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, channel_type: _Optional[int] = ..., msg_type: _Optional[int] = ..., msg_content: _Optional[bytes] = ..., to_user_list: _Optional[_Iterable[bytes]] = ...) -> None: ...

class LrSendChannelMsgRsp(_message.Message):
    __slots__ = ("rsp_head",)
    RSP_HEAD_FIELD_NUMBER: _ClassVar[int]
    rsp_head: LrRspHead
    def __init__(self, rsp_head: _Optional[_Union[LrRspHead, _Mapping]] = ...) -> None: ...

class LrPushUserInfoUpdated(_message.Message):
    __slots__ = ("server_user_seq", "user_action_list")
    SERVER_USER_SEQ_FIELD_NUMBER: _ClassVar[int]
    USER_ACTION_LIST_FIELD_NUMBER: _ClassVar[int]
    server_user_seq: int
    user_action_list: _containers.RepeatedCompositeFieldContainer[LrUserAction]
    def __init__(self, server_user_seq: _Optional[int] = ..., user_action_list: _Optional[_Iterable[_Union[LrUserAction, _Mapping]]] = ...) -> None: ...

class LrUserAction(_message.Message):
    __slots__ = ("action", "id_name", "nick_name", "role", "login_time")
    ACTION_FIELD_NUMBER: _ClassVar[int]
    ID_NAME_FIELD_NUMBER: _ClassVar[int]
    NICK_NAME_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    LOGIN_TIME_FIELD_NUMBER: _ClassVar[int]
    action: int
    id_name: bytes
    nick_name: bytes
    role: int
    login_time: int
    def __init__(self, action: _Optional[int] = ..., id_name: _Optional[bytes] = ..., nick_name: _Optional[bytes] = ..., role: _Optional[int] = ..., login_time: _Optional[int] = ...) -> None: ...

class LrPushUserKickout(_message.Message):
    __slots__ = ("id_name", "user_session_id", "kickout_reason", "custom_reason")
    ID_NAME_FIELD_NUMBER: _ClassVar[int]
    USER_SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    KICKOUT_REASON_FIELD_NUMBER: _ClassVar[int]
    CUSTOM_REASON_FIELD_NUMBER: _ClassVar[int]
    id_name: bytes
    user_session_id: int
    kickout_reason: int
    custom_reason: bytes
    def __init__(self, id_name: _Optional[bytes] = ..., user_session_id: _Optional[int] = ..., kickout_reason: _Optional[int] = ..., custom_reason: _Optional[bytes] = ...) -> None: ...

class LrPushUserTokenExpire(_message.Message):
    __slots__ = ("token", "stop_stream_info")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    STOP_STREAM_INFO_FIELD_NUMBER: _ClassVar[int]
    token: str
    stop_stream_info: LrStopStream
    def __init__(self, token: _Optional[str] = ..., stop_stream_info: _Optional[_Union[LrStopStream, _Mapping]] = ...) -> None: ...

class LrStopStream(_message.Message):
    __slots__ = ("stream_id_list",)
    STREAM_ID_LIST_FIELD_NUMBER: _ClassVar[int]
    stream_id_list: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, stream_id_list: _Optional[_Iterable[bytes]] = ...) -> None: ...

class LrPushStream(_message.Message):
    __slots__ = ("stream_seq", "stream_info_list")
    STREAM_SEQ_FIELD_NUMBER: _ClassVar[int]
    STREAM_INFO_LIST_FIELD_NUMBER: _ClassVar[int]
    stream_seq: int
    stream_info_list: _containers.RepeatedCompositeFieldContainer[LrPushStreamInfo]
    def __init__(self, stream_seq: _Optional[int] = ..., stream_info_list: _Optional[_Iterable[_Union[LrPushStreamInfo, _Mapping]]] = ...) -> None: ...

class LrPushStreamInfo(_message.Message):
    __slots__ = ("stream_id", "stream_sid", "id_name", "nick_name", "stream_title", "stream_ver", "stream_attr", "stream_src", "stream_state", "stream_type", "stream_nid", "extra_info", "create_time", "close_type", "need_gather", "sdk_custom_info", "sdk_custom")
    STREAM_ID_FIELD_NUMBER: _ClassVar[int]
    STREAM_SID_FIELD_NUMBER: _ClassVar[int]
    ID_NAME_FIELD_NUMBER: _ClassVar[int]
    NICK_NAME_FIELD_NUMBER: _ClassVar[int]
    STREAM_TITLE_FIELD_NUMBER: _ClassVar[int]
    STREAM_VER_FIELD_NUMBER: _ClassVar[int]
    STREAM_ATTR_FIELD_NUMBER: _ClassVar[int]
    STREAM_SRC_FIELD_NUMBER: _ClassVar[int]
    STREAM_STATE_FIELD_NUMBER: _ClassVar[int]
    STREAM_TYPE_FIELD_NUMBER: _ClassVar[int]
    STREAM_NID_FIELD_NUMBER: _ClassVar[int]
    EXTRA_INFO_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    CLOSE_TYPE_FIELD_NUMBER: _ClassVar[int]
    NEED_GATHER_FIELD_NUMBER: _ClassVar[int]
    SDK_CUSTOM_INFO_FIELD_NUMBER: _ClassVar[int]
    SDK_CUSTOM_FIELD_NUMBER: _ClassVar[int]
    stream_id: bytes
    stream_sid: str
    id_name: bytes
    nick_name: bytes
    stream_title: bytes
    stream_ver: int
    stream_attr: bytes
    stream_src: int
    stream_state: int
    stream_type: int
    stream_nid: int
    extra_info: bytes
    create_time: int
    close_type: int
    need_gather: int
    sdk_custom_info: bytes
    sdk_custom: bytes
    def __init__(self, stream_id: _Optional[bytes] = ..., stream_sid: _Optional[str] = ..., id_name: _Optional[bytes] = ..., nick_name: _Optional[bytes] = ..., stream_title: _Optional[bytes] = ..., stream_ver: _Optional[int] = ..., stream_attr: _Optional[bytes] = ..., stream_src: _Optional[int] = ..., stream_state: _Optional[int] = ..., stream_type: _Optional[int] = ..., stream_nid: _Optional[int] = ..., extra_info: _Optional[bytes] = ..., create_time: _Optional[int] = ..., close_type: _Optional[int] = ..., need_gather: _Optional[int] = ..., sdk_custom_info: _Optional[bytes] = ..., sdk_custom: _Optional[bytes] = ...) -> None: ...

class LrPushIm(_message.Message):
    __slots__ = ("server_msg_id", "ret_msg_id", "msg_list")
    SERVER_MSG_ID_FIELD_NUMBER: _ClassVar[int]
    RET_MSG_ID_FIELD_NUMBER: _ClassVar[int]
    MSG_LIST_FIELD_NUMBER: _ClassVar[int]
    server_msg_id: int
    ret_msg_id: int
    msg_list: _containers.RepeatedCompositeFieldContainer[LrImData]
    def __init__(self, server_msg_id: _Optional[int] = ..., ret_msg_id: _Optional[int] = ..., msg_list: _Optional[_Iterable[_Union[LrImData, _Mapping]]] = ...) -> None: ...

class LrImData(_message.Message):
    __slots__ = ("id_name", "nick_name", "role", "msg_id", "msg_category", "msg_type", "msg_content", "send_time")
    ID_NAME_FIELD_NUMBER: _ClassVar[int]
    NICK_NAME_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    MSG_ID_FIELD_NUMBER: _ClassVar[int]
    MSG_CATEGORY_FIELD_NUMBER: _ClassVar[int]
    MSG_TYPE_FIELD_NUMBER: _ClassVar[int]
    MSG_CONTENT_FIELD_NUMBER: _ClassVar[int]
    SEND_TIME_FIELD_NUMBER: _ClassVar[int]
    id_name: bytes
    nick_name: bytes
    role: int
    msg_id: int
    msg_category: int
    msg_type: int
    msg_content: bytes
    send_time: int
    def __init__(self, id_name: _Optional[bytes] = ..., nick_name: _Optional[bytes] = ..., role: _Optional[int] = ..., msg_id: _Optional[int] = ..., msg_category: _Optional[int] = ..., msg_type: _Optional[int] = ..., msg_content: _Optional[bytes] = ..., send_time: _Optional[int] = ...) -> None: ...

class LrPushBigIm(_message.Message):
    __slots__ = ("msg_list",)
    MSG_LIST_FIELD_NUMBER: _ClassVar[int]
    msg_list: _containers.RepeatedCompositeFieldContainer[LrBigImData]
    def __init__(self, msg_list: _Optional[_Iterable[_Union[LrBigImData, _Mapping]]] = ...) -> None: ...

class LrBigImData(_message.Message):
    __slots__ = ("id_name", "nick_name", "role", "msg_id", "msg_category", "msg_type", "msg_content", "msg_timestamp")
    ID_NAME_FIELD_NUMBER: _ClassVar[int]
    NICK_NAME_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    MSG_ID_FIELD_NUMBER: _ClassVar[int]
    MSG_CATEGORY_FIELD_NUMBER: _ClassVar[int]
    MSG_TYPE_FIELD_NUMBER: _ClassVar[int]
    MSG_CONTENT_FIELD_NUMBER: _ClassVar[int]
    MSG_TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    id_name: bytes
    nick_name: bytes
    role: int
    msg_id: bytes
    msg_category: int
    msg_type: int
    msg_content: bytes
    msg_timestamp: int
    def __init__(self, id_name: _Optional[bytes] = ..., nick_name: _Optional[bytes] = ..., role: _Optional[int] = ..., msg_id: _Optional[bytes] = ..., msg_category: _Optional[int] = ..., msg_type: _Optional[int] = ..., msg_content: _Optional[bytes] = ..., msg_timestamp: _Optional[int] = ...) -> None: ...

class LrPushTrans(_message.Message):
    __slots__ = ("id_name", "nick_name", "role", "trans_type", "trans_data", "trans_seq", "trans_send_time", "trans_channel", "trans_list_seq")
    ID_NAME_FIELD_NUMBER: _ClassVar[int]
    NICK_NAME_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    TRANS_TYPE_FIELD_NUMBER: _ClassVar[int]
    TRANS_DATA_FIELD_NUMBER: _ClassVar[int]
    TRANS_SEQ_FIELD_NUMBER: _ClassVar[int]
    TRANS_SEND_TIME_FIELD_NUMBER: _ClassVar[int]
    TRANS_CHANNEL_FIELD_NUMBER: _ClassVar[int]
    TRANS_LIST_SEQ_FIELD_NUMBER: _ClassVar[int]
    id_name: bytes
    nick_name: bytes
    role: int
    trans_type: bytes
    trans_data: bytes
    trans_seq: int
    trans_send_time: int
    trans_channel: bytes
    trans_list_seq: int
    def __init__(self, id_name: _Optional[bytes] = ..., nick_name: _Optional[bytes] = ..., role: _Optional[int] = ..., trans_type: _Optional[bytes] = ..., trans_data: _Optional[bytes] = ..., trans_seq: _Optional[int] = ..., trans_send_time: _Optional[int] = ..., trans_channel: _Optional[bytes] = ..., trans_list_seq: _Optional[int] = ...) -> None: ...

class LrPushTransparentMsg(_message.Message):
    __slots__ = ("msg_data", "client_seq", "sender_idname", "sender_nickname")
    MSG_DATA_FIELD_NUMBER: _ClassVar[int]
    CLIENT_SEQ_FIELD_NUMBER: _ClassVar[int]
    SENDER_IDNAME_FIELD_NUMBER: _ClassVar[int]
    SENDER_NICKNAME_FIELD_NUMBER: _ClassVar[int]
    msg_data: bytes
    client_seq: int
    sender_idname: bytes
    sender_nickname: bytes
    def __init__(self, msg_data: _Optional[bytes] = ..., client_seq: _Optional[int] = ..., sender_idname: _Optional[bytes] = ..., sender_nickname: _Optional[bytes] = ...) -> None: ...

class LrPushChannelMsg(_message.Message):
    __slots__ = ("sender_idname", "sender_nickname", "channel_type", "msg_type", "msg_content")
    SENDER_IDNAME_FIELD_NUMBER: _ClassVar[int]
    SENDER_NICKNAME_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_TYPE_FIELD_NUMBER: _ClassVar[int]
    MSG_TYPE_FIELD_NUMBER: _ClassVar[int]
    MSG_CONTENT_FIELD_NUMBER: _ClassVar[int]
    sender_idname: bytes
    sender_nickname: bytes
    channel_type: int
    msg_type: int
    msg_content: bytes
    def __init__(self, sender_idname: _Optional[bytes] = ..., sender_nickname: _Optional[bytes] = ..., channel_type: _Optional[int] = ..., msg_type: _Optional[int] = ..., msg_content: _Optional[bytes] = ...) -> None: ...

class GpcHeader(_message.Message):
    __slots__ = ("cmd",)
    CMD_FIELD_NUMBER: _ClassVar[int]
    cmd: int
    def __init__(self, cmd: _Optional[int] = ...) -> None: ...

class RtcHead(_message.Message):
    __slots__ = ("cmd", "seq", "session_id")
    CMD_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    cmd: int
    seq: int
    session_id: int
    def __init__(self, cmd: _Optional[int] = ..., seq: _Optional[int] = ..., session_id: _Optional[int] = ...) -> None: ...

class RtcLoginReq(_message.Message):
    __slots__ = ("appid", "user_id", "tokenType", "token", "sessions", "roomid", "sdk_version", "app", "net_mode")
    APPID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    TOKENTYPE_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    SESSIONS_FIELD_NUMBER: _ClassVar[int]
    ROOMID_FIELD_NUMBER: _ClassVar[int]
    SDK_VERSION_FIELD_NUMBER: _ClassVar[int]
    APP_FIELD_NUMBER: _ClassVar[int]
    NET_MODE_FIELD_NUMBER: _ClassVar[int]
    appid: int
    user_id: str
    tokenType: int
    token: str
    sessions: _containers.RepeatedCompositeFieldContainer[RtcSessionInfo]
    roomid: str
    sdk_version: int
    app: str
    net_mode: int
    def __init__(self, appid: _Optional[int] = ..., user_id: _Optional[str] = ..., tokenType: _Optional[int] = ..., token: _Optional[str] = ..., sessions: _Optional[_Iterable[_Union[RtcSessionInfo, _Mapping]]] = ..., roomid: _Optional[str] = ..., sdk_version: _Optional[int] = ..., app: _Optional[str] = ..., net_mode: _Optional[int] = ...) -> None: ...

class RtcSessionInfo(_message.Message):
    __slots__ = ("session_id", "session_token")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    session_id: int
    session_token: str
    def __init__(self, session_id: _Optional[int] = ..., session_token: _Optional[str] = ...) -> None: ...

class RtcLoginRsp(_message.Message):
    __slots__ = ("result", "tokenType", "token", "abilities")
    RESULT_FIELD_NUMBER: _ClassVar[int]
    TOKENTYPE_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    ABILITIES_FIELD_NUMBER: _ClassVar[int]
    result: int
    tokenType: int
    token: str
    abilities: int
    def __init__(self, result: _Optional[int] = ..., tokenType: _Optional[int] = ..., token: _Optional[str] = ..., abilities: _Optional[int] = ...) -> None: ...

class RtcCreateSessionReq(_message.Message):
    __slots__ = ("type", "stream_id", "roomid", "params", "trans_codec_id", "trans_codec_suffix")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    STREAM_ID_FIELD_NUMBER: _ClassVar[int]
    ROOMID_FIELD_NUMBER: _ClassVar[int]
    PARAMS_FIELD_NUMBER: _ClassVar[int]
    TRANS_CODEC_ID_FIELD_NUMBER: _ClassVar[int]
    TRANS_CODEC_SUFFIX_FIELD_NUMBER: _ClassVar[int]
    type: int
    stream_id: str
    roomid: str
    params: str
    trans_codec_id: int
    trans_codec_suffix: str
    def __init__(self, type: _Optional[int] = ..., stream_id: _Optional[str] = ..., roomid: _Optional[str] = ..., params: _Optional[str] = ..., trans_codec_id: _Optional[int] = ..., trans_codec_suffix: _Optional[str] = ...) -> None: ...

class RtcCreateSessionRsp(_message.Message):
    __slots__ = ("result", "turn_server", "turn_username", "turn_auth_key", "session_id", "session_token", "gw_version", "gw_nodes", "gw_nodes_ttl", "client_ip", "ips", "ipv6s", "peer_id", "trans_codec_suffix", "ext_turn_servers")
    RESULT_FIELD_NUMBER: _ClassVar[int]
    TURN_SERVER_FIELD_NUMBER: _ClassVar[int]
    TURN_USERNAME_FIELD_NUMBER: _ClassVar[int]
    TURN_AUTH_KEY_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    GW_VERSION_FIELD_NUMBER: _ClassVar[int]
    GW_NODES_FIELD_NUMBER: _ClassVar[int]
    GW_NODES_TTL_FIELD_NUMBER: _ClassVar[int]
    CLIENT_IP_FIELD_NUMBER: _ClassVar[int]
    IPS_FIELD_NUMBER: _ClassVar[int]
    IPV6S_FIELD_NUMBER: _ClassVar[int]
    PEER_ID_FIELD_NUMBER: _ClassVar[int]
    TRANS_CODEC_SUFFIX_FIELD_NUMBER: _ClassVar[int]
    EXT_TURN_SERVERS_FIELD_NUMBER: _ClassVar[int]
    result: int
    turn_server: str
    turn_username: str
    turn_auth_key: str
    session_id: int
    session_token: str
    gw_version: int
    gw_nodes: _containers.RepeatedScalarFieldContainer[str]
    gw_nodes_ttl: int
    client_ip: str
    ips: _containers.RepeatedCompositeFieldContainer[RtcIpResult]
    ipv6s: _containers.RepeatedCompositeFieldContainer[RtcIpResult]
    peer_id: int
    trans_codec_suffix: str
    ext_turn_servers: _containers.RepeatedCompositeFieldContainer[RtcExternalTurnInfo]
    def __init__(self, result: _Optional[int] = ..., turn_server: _Optional[str] = ..., turn_username: _Optional[str] = ..., turn_auth_key: _Optional[str] = ..., session_id: _Optional[int] = ..., session_token: _Optional[str] = ..., gw_version: _Optional[int] = ..., gw_nodes: _Optional[_Iterable[str]] = ..., gw_nodes_ttl: _Optional[int] = ..., client_ip: _Optional[str] = ..., ips: _Optional[_Iterable[_Union[RtcIpResult, _Mapping]]] = ..., ipv6s: _Optional[_Iterable[_Union[RtcIpResult, _Mapping]]] = ..., peer_id: _Optional[int] = ..., trans_codec_suffix: _Optional[str] = ..., ext_turn_servers: _Optional[_Iterable[_Union[RtcExternalTurnInfo, _Mapping]]] = ...) -> None: ...

class RtcIpResult(_message.Message):
    __slots__ = ("ip", "port", "isbgp", "idcid", "tcp_port", "idc_code", "flag", "priority", "mask", "vid")
    IP_FIELD_NUMBER: _ClassVar[int]
    PORT_FIELD_NUMBER: _ClassVar[int]
    ISBGP_FIELD_NUMBER: _ClassVar[int]
    IDCID_FIELD_NUMBER: _ClassVar[int]
    TCP_PORT_FIELD_NUMBER: _ClassVar[int]
    IDC_CODE_FIELD_NUMBER: _ClassVar[int]
    FLAG_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    MASK_FIELD_NUMBER: _ClassVar[int]
    VID_FIELD_NUMBER: _ClassVar[int]
    ip: str
    port: int
    isbgp: int
    idcid: int
    tcp_port: int
    idc_code: str
    flag: int
    priority: int
    mask: int
    vid: str
    def __init__(self, ip: _Optional[str] = ..., port: _Optional[int] = ..., isbgp: _Optional[int] = ..., idcid: _Optional[int] = ..., tcp_port: _Optional[int] = ..., idc_code: _Optional[str] = ..., flag: _Optional[int] = ..., priority: _Optional[int] = ..., mask: _Optional[int] = ..., vid: _Optional[str] = ...) -> None: ...

class RtcExternalTurnInfo(_message.Message):
    __slots__ = ("username", "credential", "url")
    USERNAME_FIELD_NUMBER: _ClassVar[int]
    CREDENTIAL_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    username: str
    credential: str
    url: str
    def __init__(self, username: _Optional[str] = ..., credential: _Optional[str] = ..., url: _Optional[str] = ...) -> None: ...

class RtcCreateSessionWithSdpReq(_message.Message):
    __slots__ = ("type", "stream_id", "sdp", "mini_sdp", "roomid", "params", "params_ext", "trans_codec_id", "trans_codec_suffix")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    STREAM_ID_FIELD_NUMBER: _ClassVar[int]
    SDP_FIELD_NUMBER: _ClassVar[int]
    MINI_SDP_FIELD_NUMBER: _ClassVar[int]
    ROOMID_FIELD_NUMBER: _ClassVar[int]
    PARAMS_FIELD_NUMBER: _ClassVar[int]
    PARAMS_EXT_FIELD_NUMBER: _ClassVar[int]
    TRANS_CODEC_ID_FIELD_NUMBER: _ClassVar[int]
    TRANS_CODEC_SUFFIX_FIELD_NUMBER: _ClassVar[int]
    type: int
    stream_id: str
    sdp: str
    mini_sdp: bytes
    roomid: str
    params: str
    params_ext: bytes
    trans_codec_id: int
    trans_codec_suffix: str
    def __init__(self, type: _Optional[int] = ..., stream_id: _Optional[str] = ..., sdp: _Optional[str] = ..., mini_sdp: _Optional[bytes] = ..., roomid: _Optional[str] = ..., params: _Optional[str] = ..., params_ext: _Optional[bytes] = ..., trans_codec_id: _Optional[int] = ..., trans_codec_suffix: _Optional[str] = ...) -> None: ...

class RtcCreateSessionWithSdpRsp(_message.Message):
    __slots__ = ("result", "gw_version", "sdp", "mini_sdp", "session_token", "gw_nodes", "gw_nodes_ttl", "client_ip", "params_ext", "ips", "ipv6s", "peer_id", "trans_codec_suffix", "ext_turn_servers")
    RESULT_FIELD_NUMBER: _ClassVar[int]
    GW_VERSION_FIELD_NUMBER: _ClassVar[int]
    SDP_FIELD_NUMBER: _ClassVar[int]
    MINI_SDP_FIELD_NUMBER: _ClassVar[int]
    SESSION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    GW_NODES_FIELD_NUMBER: _ClassVar[int]
    GW_NODES_TTL_FIELD_NUMBER: _ClassVar[int]
    CLIENT_IP_FIELD_NUMBER: _ClassVar[int]
    PARAMS_EXT_FIELD_NUMBER: _ClassVar[int]
    IPS_FIELD_NUMBER: _ClassVar[int]
    IPV6S_FIELD_NUMBER: _ClassVar[int]
    PEER_ID_FIELD_NUMBER: _ClassVar[int]
    TRANS_CODEC_SUFFIX_FIELD_NUMBER: _ClassVar[int]
    EXT_TURN_SERVERS_FIELD_NUMBER: _ClassVar[int]
    result: int
    gw_version: int
    sdp: str
    mini_sdp: bytes
    session_token: str
    gw_nodes: _containers.RepeatedScalarFieldContainer[str]
    gw_nodes_ttl: int
    client_ip: str
    params_ext: bytes
    ips: _containers.RepeatedCompositeFieldContainer[RtcIpResult]
    ipv6s: _containers.RepeatedCompositeFieldContainer[RtcIpResult]
    peer_id: int
    trans_codec_suffix: str
    ext_turn_servers: _containers.RepeatedCompositeFieldContainer[RtcExternalTurnInfo]
    def __init__(self, result: _Optional[int] = ..., gw_version: _Optional[int] = ..., sdp: _Optional[str] = ..., mini_sdp: _Optional[bytes] = ..., session_token: _Optional[str] = ..., gw_nodes: _Optional[_Iterable[str]] = ..., gw_nodes_ttl: _Optional[int] = ..., client_ip: _Optional[str] = ..., params_ext: _Optional[bytes] = ..., ips: _Optional[_Iterable[_Union[RtcIpResult, _Mapping]]] = ..., ipv6s: _Optional[_Iterable[_Union[RtcIpResult, _Mapping]]] = ..., peer_id: _Optional[int] = ..., trans_codec_suffix: _Optional[str] = ..., ext_turn_servers: _Optional[_Iterable[_Union[RtcExternalTurnInfo, _Mapping]]] = ...) -> None: ...

class RtcMediaDescReq(_message.Message):
    __slots__ = ("type", "update", "sdp", "mini_sdp", "params_ext")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    UPDATE_FIELD_NUMBER: _ClassVar[int]
    SDP_FIELD_NUMBER: _ClassVar[int]
    MINI_SDP_FIELD_NUMBER: _ClassVar[int]
    PARAMS_EXT_FIELD_NUMBER: _ClassVar[int]
    type: int
    update: int
    sdp: str
    mini_sdp: bytes
    params_ext: bytes
    def __init__(self, type: _Optional[int] = ..., update: _Optional[int] = ..., sdp: _Optional[str] = ..., mini_sdp: _Optional[bytes] = ..., params_ext: _Optional[bytes] = ...) -> None: ...

class RtcMediaDescRsp(_message.Message):
    __slots__ = ("result", "sdp", "mini_sdp")
    RESULT_FIELD_NUMBER: _ClassVar[int]
    SDP_FIELD_NUMBER: _ClassVar[int]
    MINI_SDP_FIELD_NUMBER: _ClassVar[int]
    result: int
    sdp: str
    mini_sdp: bytes
    def __init__(self, result: _Optional[int] = ..., sdp: _Optional[str] = ..., mini_sdp: _Optional[bytes] = ...) -> None: ...

class RtcCandidateInfoReq(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RtcCandidateInfoRsp(_message.Message):
    __slots__ = ("result",)
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: int
    def __init__(self, result: _Optional[int] = ...) -> None: ...

class RtcCloseSessionReq(_message.Message):
    __slots__ = ("reason",)
    REASON_FIELD_NUMBER: _ClassVar[int]
    reason: int
    def __init__(self, reason: _Optional[int] = ...) -> None: ...

class RtcCloseSessionRsp(_message.Message):
    __slots__ = ("result",)
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: int
    def __init__(self, result: _Optional[int] = ...) -> None: ...

class RtcCloseSessionPush(_message.Message):
    __slots__ = ("reason", "err_info")
    REASON_FIELD_NUMBER: _ClassVar[int]
    ERR_INFO_FIELD_NUMBER: _ClassVar[int]
    reason: int
    err_info: str
    def __init__(self, reason: _Optional[int] = ..., err_info: _Optional[str] = ...) -> None: ...

class RtcSessionResetPush(_message.Message):
    __slots__ = ("dwTimeStamp", "cResetType", "session_ids", "reason")
    DWTIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    CRESETTYPE_FIELD_NUMBER: _ClassVar[int]
    SESSION_IDS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    dwTimeStamp: int
    cResetType: int
    session_ids: _containers.RepeatedScalarFieldContainer[int]
    reason: int
    def __init__(self, dwTimeStamp: _Optional[int] = ..., cResetType: _Optional[int] = ..., session_ids: _Optional[_Iterable[int]] = ..., reason: _Optional[int] = ...) -> None: ...

class RtcSessionResetAck(_message.Message):
    __slots__ = ("result",)
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: int
    def __init__(self, result: _Optional[int] = ...) -> None: ...

class RtcStreamStatusNotify(_message.Message):
    __slots__ = ("mic_status", "camera_status")
    MIC_STATUS_FIELD_NUMBER: _ClassVar[int]
    CAMERA_STATUS_FIELD_NUMBER: _ClassVar[int]
    mic_status: int
    camera_status: int
    def __init__(self, mic_status: _Optional[int] = ..., camera_status: _Optional[int] = ...) -> None: ...

class RtcStreamStatusNotifyAck(_message.Message):
    __slots__ = ("result",)
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: int
    def __init__(self, result: _Optional[int] = ...) -> None: ...

class RtcStreamStatusNotifyPush(_message.Message):
    __slots__ = ("mic_status", "camera_status")
    MIC_STATUS_FIELD_NUMBER: _ClassVar[int]
    CAMERA_STATUS_FIELD_NUMBER: _ClassVar[int]
    mic_status: int
    camera_status: int
    def __init__(self, mic_status: _Optional[int] = ..., camera_status: _Optional[int] = ...) -> None: ...

class RtcStreamStatusNotifyPushAck(_message.Message):
    __slots__ = ("result",)
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: int
    def __init__(self, result: _Optional[int] = ...) -> None: ...

class RtcActivateAudioPlayStreamReq(_message.Message):
    __slots__ = ("active",)
    ACTIVE_FIELD_NUMBER: _ClassVar[int]
    active: int
    def __init__(self, active: _Optional[int] = ...) -> None: ...

class RtcActivateAudioPlayStreamRsp(_message.Message):
    __slots__ = ("result",)
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: int
    def __init__(self, result: _Optional[int] = ...) -> None: ...

class RtcActivateVideoPlayStreamReq(_message.Message):
    __slots__ = ("active", "layer")
    ACTIVE_FIELD_NUMBER: _ClassVar[int]
    LAYER_FIELD_NUMBER: _ClassVar[int]
    active: int
    layer: int
    def __init__(self, active: _Optional[int] = ..., layer: _Optional[int] = ...) -> None: ...

class RtcActivateVideoPlayStreamRsp(_message.Message):
    __slots__ = ("result",)
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: int
    def __init__(self, result: _Optional[int] = ...) -> None: ...

class RtcPeer2PeerNetStatsGetReq(_message.Message):
    __slots__ = ("peer_id",)
    PEER_ID_FIELD_NUMBER: _ClassVar[int]
    peer_id: int
    def __init__(self, peer_id: _Optional[int] = ...) -> None: ...

class RtcPeer2PeerNetStatsGetRsp(_message.Message):
    __slots__ = ("result", "peer_id", "p2p_lost_rate", "p2p_rtt")
    RESULT_FIELD_NUMBER: _ClassVar[int]
    PEER_ID_FIELD_NUMBER: _ClassVar[int]
    P2P_LOST_RATE_FIELD_NUMBER: _ClassVar[int]
    P2P_RTT_FIELD_NUMBER: _ClassVar[int]
    result: int
    peer_id: int
    p2p_lost_rate: int
    p2p_rtt: int
    def __init__(self, result: _Optional[int] = ..., peer_id: _Optional[int] = ..., p2p_lost_rate: _Optional[int] = ..., p2p_rtt: _Optional[int] = ...) -> None: ...

class RtcCmdReq(_message.Message):
    __slots__ = ("peer_id", "cmd_id", "body")
    PEER_ID_FIELD_NUMBER: _ClassVar[int]
    CMD_ID_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    peer_id: int
    cmd_id: int
    body: bytes
    def __init__(self, peer_id: _Optional[int] = ..., cmd_id: _Optional[int] = ..., body: _Optional[bytes] = ...) -> None: ...

class RtcCmdRsp(_message.Message):
    __slots__ = ("peer_id", "cmd_id", "body")
    PEER_ID_FIELD_NUMBER: _ClassVar[int]
    CMD_ID_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    peer_id: int
    cmd_id: int
    body: bytes
    def __init__(self, peer_id: _Optional[int] = ..., cmd_id: _Optional[int] = ..., body: _Optional[bytes] = ...) -> None: ...

class RtcWebRTCDispatchReq(_message.Message):
    __slots__ = ("type", "stream_id", "trans_codec_id", "trans_codec_suffix")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    STREAM_ID_FIELD_NUMBER: _ClassVar[int]
    TRANS_CODEC_ID_FIELD_NUMBER: _ClassVar[int]
    TRANS_CODEC_SUFFIX_FIELD_NUMBER: _ClassVar[int]
    type: int
    stream_id: str
    trans_codec_id: int
    trans_codec_suffix: str
    def __init__(self, type: _Optional[int] = ..., stream_id: _Optional[str] = ..., trans_codec_id: _Optional[int] = ..., trans_codec_suffix: _Optional[str] = ...) -> None: ...

class RtcWebRTCDispatchRsp(_message.Message):
    __slots__ = ("gw_nodes", "gw_nodes_ttl", "client_ip", "result", "ips")
    GW_NODES_FIELD_NUMBER: _ClassVar[int]
    GW_NODES_TTL_FIELD_NUMBER: _ClassVar[int]
    CLIENT_IP_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    IPS_FIELD_NUMBER: _ClassVar[int]
    gw_nodes: _containers.RepeatedScalarFieldContainer[str]
    gw_nodes_ttl: int
    client_ip: str
    result: int
    ips: _containers.RepeatedCompositeFieldContainer[RtcIpResult]
    def __init__(self, gw_nodes: _Optional[_Iterable[str]] = ..., gw_nodes_ttl: _Optional[int] = ..., client_ip: _Optional[str] = ..., result: _Optional[int] = ..., ips: _Optional[_Iterable[_Union[RtcIpResult, _Mapping]]] = ...) -> None: ...

class CmdWebrtcCmdReqMsg(_message.Message):
    __slots__ = ("net_quality_grade", "peer_extend_param", "peer_ext_params_push", "stream_status", "restart_ice")
    NET_QUALITY_GRADE_FIELD_NUMBER: _ClassVar[int]
    PEER_EXTEND_PARAM_FIELD_NUMBER: _ClassVar[int]
    PEER_EXT_PARAMS_PUSH_FIELD_NUMBER: _ClassVar[int]
    STREAM_STATUS_FIELD_NUMBER: _ClassVar[int]
    RESTART_ICE_FIELD_NUMBER: _ClassVar[int]
    net_quality_grade: CmdNetQualityGradeReq
    peer_extend_param: CmdPeerExtendParams
    peer_ext_params_push: CmdPeerExtendParamPush
    stream_status: CmdStreamStatusNotify
    restart_ice: CmdRestartICEReq
    def __init__(self, net_quality_grade: _Optional[_Union[CmdNetQualityGradeReq, _Mapping]] = ..., peer_extend_param: _Optional[_Union[CmdPeerExtendParams, _Mapping]] = ..., peer_ext_params_push: _Optional[_Union[CmdPeerExtendParamPush, _Mapping]] = ..., stream_status: _Optional[_Union[CmdStreamStatusNotify, _Mapping]] = ..., restart_ice: _Optional[_Union[CmdRestartICEReq, _Mapping]] = ...) -> None: ...

class CmdWebrtcCmdRspMsg(_message.Message):
    __slots__ = ("net_quality_grade", "stream_status_ack", "restart_ice")
    NET_QUALITY_GRADE_FIELD_NUMBER: _ClassVar[int]
    STREAM_STATUS_ACK_FIELD_NUMBER: _ClassVar[int]
    RESTART_ICE_FIELD_NUMBER: _ClassVar[int]
    net_quality_grade: CmdNetQualityGradeRsp
    stream_status_ack: CmdStreamStatusAck
    restart_ice: CmdRestartICERsp
    def __init__(self, net_quality_grade: _Optional[_Union[CmdNetQualityGradeRsp, _Mapping]] = ..., stream_status_ack: _Optional[_Union[CmdStreamStatusAck, _Mapping]] = ..., restart_ice: _Optional[_Union[CmdRestartICERsp, _Mapping]] = ...) -> None: ...

class CmdPeerExtendParams(_message.Message):
    __slots__ = ("client_class_type", "video_stream_type", "auto_switch_turn_type", "zg_proxy", "coturn_internal", "proto_flags")
    CLIENT_CLASS_TYPE_FIELD_NUMBER: _ClassVar[int]
    VIDEO_STREAM_TYPE_FIELD_NUMBER: _ClassVar[int]
    AUTO_SWITCH_TURN_TYPE_FIELD_NUMBER: _ClassVar[int]
    ZG_PROXY_FIELD_NUMBER: _ClassVar[int]
    COTURN_INTERNAL_FIELD_NUMBER: _ClassVar[int]
    PROTO_FLAGS_FIELD_NUMBER: _ClassVar[int]
    client_class_type: int
    video_stream_type: int
    auto_switch_turn_type: int
    zg_proxy: int
    coturn_internal: int
    proto_flags: int
    def __init__(self, client_class_type: _Optional[int] = ..., video_stream_type: _Optional[int] = ..., auto_switch_turn_type: _Optional[int] = ..., zg_proxy: _Optional[int] = ..., coturn_internal: _Optional[int] = ..., proto_flags: _Optional[int] = ...) -> None: ...

class CmdPeerExtendParamPush(_message.Message):
    __slots__ = ("turn_username", "turn_auth_key", "candidate", "sdpMid", "sdpMLineIndex", "turn_urls", "peer_id")
    TURN_USERNAME_FIELD_NUMBER: _ClassVar[int]
    TURN_AUTH_KEY_FIELD_NUMBER: _ClassVar[int]
    CANDIDATE_FIELD_NUMBER: _ClassVar[int]
    SDPMID_FIELD_NUMBER: _ClassVar[int]
    SDPMLINEINDEX_FIELD_NUMBER: _ClassVar[int]
    TURN_URLS_FIELD_NUMBER: _ClassVar[int]
    PEER_ID_FIELD_NUMBER: _ClassVar[int]
    turn_username: str
    turn_auth_key: str
    candidate: str
    sdpMid: str
    sdpMLineIndex: int
    turn_urls: str
    peer_id: int
    def __init__(self, turn_username: _Optional[str] = ..., turn_auth_key: _Optional[str] = ..., candidate: _Optional[str] = ..., sdpMid: _Optional[str] = ..., sdpMLineIndex: _Optional[int] = ..., turn_urls: _Optional[str] = ..., peer_id: _Optional[int] = ...) -> None: ...

class CmdNetQualityGradeReq(_message.Message):
    __slots__ = ("tx_quality", "rx_quality", "seq")
    TX_QUALITY_FIELD_NUMBER: _ClassVar[int]
    RX_QUALITY_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    tx_quality: int
    rx_quality: int
    seq: int
    def __init__(self, tx_quality: _Optional[int] = ..., rx_quality: _Optional[int] = ..., seq: _Optional[int] = ...) -> None: ...

class CmdNetQualityGradeRsp(_message.Message):
    __slots__ = ("result", "seq")
    RESULT_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    result: int
    seq: int
    def __init__(self, result: _Optional[int] = ..., seq: _Optional[int] = ...) -> None: ...

class CmdStreamStatusNotify(_message.Message):
    __slots__ = ("seq", "mic_status", "camera_status")
    SEQ_FIELD_NUMBER: _ClassVar[int]
    MIC_STATUS_FIELD_NUMBER: _ClassVar[int]
    CAMERA_STATUS_FIELD_NUMBER: _ClassVar[int]
    seq: int
    mic_status: int
    camera_status: int
    def __init__(self, seq: _Optional[int] = ..., mic_status: _Optional[int] = ..., camera_status: _Optional[int] = ...) -> None: ...

class CmdStreamStatusAck(_message.Message):
    __slots__ = ("seq", "result")
    SEQ_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    seq: int
    result: int
    def __init__(self, seq: _Optional[int] = ..., result: _Optional[int] = ...) -> None: ...

class CmdRestartICEReq(_message.Message):
    __slots__ = ("ice_ufrag", "ice_pwd", "seq")
    ICE_UFRAG_FIELD_NUMBER: _ClassVar[int]
    ICE_PWD_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    ice_ufrag: str
    ice_pwd: str
    seq: int
    def __init__(self, ice_ufrag: _Optional[str] = ..., ice_pwd: _Optional[str] = ..., seq: _Optional[int] = ...) -> None: ...

class CmdRestartICERsp(_message.Message):
    __slots__ = ("result", "seq")
    RESULT_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    result: int
    seq: int
    def __init__(self, result: _Optional[int] = ..., seq: _Optional[int] = ...) -> None: ...
