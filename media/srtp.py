"""SRTP on pylibsrtp's bundled libsrtp, without a new buffer for every packet.

``pylibsrtp.Session.protect`` allocates a length and copies the packet twice for each call; at a hundred copies per packet that is
half of what the plane does besides the system call. So the plane owns one buffer (``PacketBuffer``) and calls the bundled library's
functions on it. These names of pylibsrtp are internal; ``tests/unit/media/test_internals.py`` holds them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pylibsrtp import Policy, Session
from pylibsrtp._binding import ffi, lib

from media.plane import SrtpKeys, SrtpProfile

REPLAY_WINDOW = 1_024
"""Packets. libsrtp's default of 64 loses packets that a Wi-Fi burst delivers late."""

BUFFER_SIZE = 2_048
"""Bytes of a packet buffer: more than any datagram that fits an Ethernet frame, with room for the SRTP trailer."""

MAX_PACKET = BUFFER_SIZE - 256
"""Longest packet that may be protected in a buffer: the trailer of libsrtp takes at most 148 bytes."""

Transform = Callable[[Any, Any, Any], int]
protect: Transform = lib.srtp_protect
"""``protect(context, buffer.data, buffer.length)`` in place, 0 = done. The length is set before and read after."""
unprotect: Transform = lib.srtp_unprotect
protect_rtcp: Transform = lib.srtp_protect_rtcp
unprotect_rtcp: Transform = lib.srtp_unprotect_rtcp

_LIBSRTP_PROFILES = {
    SrtpProfile.AEAD_AES_128_GCM: Policy.SRTP_PROFILE_AEAD_AES_128_GCM,
    SrtpProfile.AES128_CM_SHA1_80: Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
}


class PacketBuffer:
    """Memory in which packets are received, encrypted and decrypted in place."""

    __slots__ = ("data", "length", "view")

    def __init__(self) -> None:
        self.data: Any = ffi.new("char[]", BUFFER_SIZE)
        self.view = memoryview(ffi.buffer(self.data))
        """The same memory for Python, ``BUFFER_SIZE`` bytes."""
        self.length: Any = ffi.new("int *")
        """``length[0]``: bytes in use, for libsrtp to read and to change."""


class SrtpContext:
    """One direction of one peer."""

    __slots__ = ("_session", "handle")

    def __init__(self, profile: SrtpProfile, key: bytes, *, inbound: bool) -> None:
        policy = Policy(
            key=key,
            ssrc_type=Policy.SSRC_ANY_INBOUND if inbound else Policy.SSRC_ANY_OUTBOUND,
            srtp_profile=_LIBSRTP_PROFILES[profile],
        )
        policy.window_size = REPLAY_WINDOW
        # A player that asks for a lost packet gets the same bytes under the same number once more (``media.history``). That a number is
        # never given to other bytes is the stream's care (``Stream.place``).
        policy.allow_repeat_tx = not inbound
        # The library's own context lives as long as this session does.
        self._session = Session(policy)
        self.handle: Any = self._session._srtp[0]


class SrtpPair:
    """Both directions of one peer."""

    __slots__ = ("profile", "receive", "send")

    def __init__(self, keys: SrtpKeys) -> None:
        self.profile = keys.profile
        self.receive = SrtpContext(keys.profile, keys.receive, inbound=True)
        self.send = SrtpContext(keys.profile, keys.send, inbound=False)
