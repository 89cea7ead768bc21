"""The one table of all actions."""

from __future__ import annotations

from collections.abc import Mapping

from server.cloud_api import (
    ban_actions,
    callback_actions,
    hearth_actions,
    media_actions,
    message_actions,
    room_actions,
    stream_actions,
    stream_rule_actions,
    token_actions,
    user_actions,
)
from server.cloud_api.action import AnyAction

ACTIONS: Mapping[str, AnyAction] = {
    action.name: action
    for family in (
        room_actions.ACTIONS,
        message_actions.ACTIONS,
        user_actions.ACTIONS,
        stream_actions.ACTIONS,
        ban_actions.ACTIONS,
        stream_rule_actions.ACTIONS,
        token_actions.ACTIONS,
        media_actions.ACTIONS,
        hearth_actions.ACTIONS,
        callback_actions.ACTIONS,
    )
    for action in family
}

NOT_OFFERED = frozenset(
    {
        # Mixing.
        "StartAutoMix",
        "StopAutoMix",
        "StartMix",
        "StopMix",
        "GetMixTaskInfo",
        # Transfer to and control of a CDN. The first name is spelled in two ways (zego-cloud.md §8 row 21).
        "CreatCDNTransferRule",
        "CreateCDNTransferRule",
        "DeleteCDNTransferRule",
        "ClearCDNTransferRule",
        "ForbidCDNLiveStream",
        "QueryForbidCDNLiveStream",
        "ResumeCDNLiveStream",
        "RTMPDispatch",
        "StartCloudTranscode",
        "StopCloudTranscode",
        # Censorship.
        "StartCensorAudioV2",
        "StopCensorAudioV2",
        "StartCensorVideoV2",
        "StopCensorVideoV2",
        # Recording and what follows it.
        "StartCDNRecord",
        "StopCDNRecord",
        "SearchMedia",
        "DeleteMedia",
        "MergeMedia",
        "DescribeMediaTask",
        "TranscodeMedia",
        # Discontinued by the cloud.
        "SetSceneTemplate",
    }
)
"""Answered with "service not enabled"."""
