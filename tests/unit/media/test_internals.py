"""What ``media`` uses of aiortc and pylibsrtp beyond their public interfaces. A failure here means: read their changes first."""

from __future__ import annotations

import inspect

from aiortc import RTCCertificate, RTCDtlsTransport
from aiortc.rtcdtlstransport import SRTP_AEAD_AES_128_GCM, SRTP_AES128_CM_SHA1_80, SRTP_PROFILES
from pylibsrtp import Policy, Session
from pylibsrtp._binding import ffi, lib

from media.plane import SrtpProfile


class Transport:
    role = "controlled"


def transport() -> RTCDtlsTransport:
    return RTCDtlsTransport(Transport(), [RTCCertificate.generateCertificate()])  # type: ignore[arg-type]


def test_the_dtls_role_can_be_set_before_the_start() -> None:
    dtls = transport()
    dtls._set_role("server")
    assert dtls._role == "server"
    # `start` chooses a role itself only where none was set.
    assert 'if self._role == "auto"' in inspect.getsource(RTCDtlsTransport.start)


def test_srtp_profiles_are_offered_in_the_order_of_an_attribute() -> None:
    dtls = transport()
    assert dtls._srtp_profiles == SRTP_PROFILES
    assert "srtp_profiles=self._srtp_profiles" in inspect.getsource(RTCDtlsTransport.start)


def test_the_openssl_connection_is_in_an_attribute_and_gives_keys() -> None:
    assert transport()._ssl is None
    source = inspect.getsource(RTCDtlsTransport._setup_srtp)
    for used in ("get_selected_srtp_profile()", "export_keying_material(", "get_key_and_salt("):
        assert used in source


def test_datagrams_go_through_two_coroutines_of_the_transport() -> None:
    assert "await self.transport._recv()" in inspect.getsource(RTCDtlsTransport._recv_next)
    assert "await self.transport._send(data)" in inspect.getsource(RTCDtlsTransport._write_ssl)


def test_states_are_told_by_an_event() -> None:
    dtls = transport()
    heard: list[str] = []
    dtls.on("statechange", lambda: heard.append(dtls.state))
    dtls._set_state(type(dtls._state).CLOSED)
    assert heard == ["closed"]


def test_profiles_have_the_names_and_sizes_that_we_use() -> None:
    assert SRTP_AEAD_AES_128_GCM.openssl_profile.decode() == SrtpProfile.AEAD_AES_128_GCM
    assert SRTP_AES128_CM_SHA1_80.openssl_profile.decode() == SrtpProfile.AES128_CM_SHA1_80
    material = bytes(range(2 * 28))
    assert SRTP_AEAD_AES_128_GCM.get_key_and_salt(material, 1) == material[16:32] + material[44:56]


def test_libsrtp_can_be_called_on_a_buffer_of_our_own() -> None:
    policy = Policy(key=bytes(28), ssrc_type=Policy.SSRC_ANY_OUTBOUND, srtp_profile=Policy.SRTP_PROFILE_AEAD_AES_128_GCM)
    session, reference = Session(policy), Session(policy)
    packet = bytes([0x80, 111, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9]) + b"payload"
    buffer, length = ffi.new("char[]", 2_048), ffi.new("int *")
    ffi.buffer(buffer)[0 : len(packet)] = packet
    length[0] = len(packet)
    assert lib.srtp_protect(session._srtp[0], buffer, length) == lib.srtp_err_status_ok == 0
    assert ffi.buffer(buffer)[0 : length[0]] == reference.protect(packet)
