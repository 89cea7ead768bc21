"""Answers to session requests, with everything that SDKs insist on (``sdk-3x.md`` §6.3, §6.4). Pure functions.

``client_address``: the client's own, as it is told to it. ``path``: how it reaches its media.
"""

from __future__ import annotations

from calls.media_session import MediaPath
from signaling.accesshub.proto import accesshub_pb2 as pb
from signaling.media_endings import MediaResult

GW_VERSION = 0x02000A00
"""2.0.10: what SDKs were tried with. They log it, and use no more of the server than this version has."""
GW_NODES_TTL = 60
"""Seconds for which SDKs keep ``gw_nodes``."""
ANY_TURN = "turn:{host}:3478?transport=udp"
NOBODY = "-"
"""A TURN server that is none, with a name and a password that open nothing: without non-empty ones 3.5.0 and 3.8.0 fail (§6.3)."""


def created(sdp: str, token: str, path: MediaPath, client_address: str) -> pb.RtcCreateSessionWithSdpRsp:
    """To an offer: its answer, and the secret with which the client claims the session on its next socket."""
    username, password, urls = _relay(path)
    extension = pb.CmdWebrtcCmdReqMsg(
        peer_ext_params_push=pb.CmdPeerExtendParamPush(
            turn_username=username, turn_auth_key=password, turn_urls=urls, candidate="", sdpMid="", sdpMLineIndex=0, peer_id=0
        )
    )
    return pb.RtcCreateSessionWithSdpRsp(
        result=MediaResult.OK,
        gw_version=GW_VERSION,
        sdp=sdp,
        session_token=token,
        gw_nodes=path.addresses,
        gw_nodes_ttl=GW_NODES_TTL,
        client_ip=client_address,
        params_ext=extension.SerializeToString(),
    )


def begun(media_session_id: int, token: str, path: MediaPath, client_address: str) -> pb.RtcCreateSessionRsp:
    """In TURN mode, where the offer comes later.

    In the SDP answer clients then put the address of the first of ``gw_nodes`` in the place of ours, so that must be where the media is.
    """
    username, password, urls = _relay(path)
    return pb.RtcCreateSessionRsp(
        result=MediaResult.OK,
        turn_server=urls,
        turn_username=username,
        turn_auth_key=password,
        session_id=media_session_id,
        session_token=token,
        gw_version=GW_VERSION,
        gw_nodes=path.addresses,
        gw_nodes_ttl=GW_NODES_TTL,
        client_ip=client_address,
    )


def nodes(addresses: tuple[str, ...], client_address: str) -> pb.RtcWebRTCDispatchRsp:
    """The list of nodes again."""
    return pb.RtcWebRTCDispatchRsp(result=MediaResult.OK, gw_nodes=addresses, gw_nodes_ttl=GW_NODES_TTL, client_ip=client_address)


def _relay(path: MediaPath) -> tuple[str, str, str]:
    """User name, password and URLs of a TURN server, never empty."""
    if path.relay is not None:
        return path.relay.username, path.relay.password, ";".join(path.relay.urls)
    host = path.addresses[0].rpartition(":")[0] if path.addresses else "127.0.0.1"
    return NOBODY, NOBODY, ANY_TURN.format(host=host)
