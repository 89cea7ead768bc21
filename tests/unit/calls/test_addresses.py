"""The addresses of media: what is handed out is what is read back."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.addresses import MediaCredential, flv_url, media_url, parse_live_address, parse_media_query, rtmp_base, rtmp_url
from calls.errors import AddressInvalid

CREDENTIAL = MediaCredential(1234567890, 8_123_456_789_012_345, "a-Key_1")


def test_media_address_is_the_same_for_every_stream_and_reads_back() -> None:
    url = media_url("wss://rtc1.example.org/", CREDENTIAL)
    assert url == "wss://rtc1.example.org/media?app=1234567890&session=8123456789012345&key=a-Key_1"
    assert parse_media_query(url.partition("?")[2]) == CREDENTIAL


def test_parameters_of_others_are_passed_over() -> None:
    assert parse_media_query("app=1&x=2&session=3&key=k&utm=4") == MediaCredential(1, 3, "k")


@pytest.mark.parametrize(
    "query",
    [
        "",
        "app=1&session=2",
        "app=&session=2&key=k",
        "app=1&session=2&key=",
        "app=01&session=2&key=k",
        "app=1&session=-2&key=k",
        "app=1&session=2.0&key=k",
        "app=1&session=99999999999999999999&key=k",
        "app=1&app=2&session=2&key=k",
        "app=1&session=2&key=k%00",
        "app=1&session=2&key=" + "k" * 200,
        "app=١&session=2&key=k",
        "&".join(f"p{n}=1" for n in range(100)),
    ],
)
def test_other_addresses_are_refused(query: str) -> None:
    with pytest.raises(AddressInvalid):
        parse_media_query(query)


@given(st.text())
def test_any_query_is_read_or_refused(query: str) -> None:
    with contextlib.suppress(AddressInvalid):
        parse_media_query(query)


def test_rtmp_address_reads_back_with_what_an_sdk_appends() -> None:
    url = rtmp_url("rtmp://rtc1.example.org:1935", CREDENTIAL, "room1_alice")
    assert url == "rtmp://rtc1.example.org:1935/1234567890/a-Key_1.8123456789012345/room1_alice"
    address = parse_live_address(url.removeprefix("rtmp://rtc1.example.org:1935/") + "?zgseq=1&zgdid=2")
    assert address.right == CREDENTIAL
    assert address.stream_id == "room1_alice"


@pytest.mark.parametrize(
    "query", ["credential=a-Key_1.8123456789012345", "x=1?zgseq=1&credential=a-Key_1.8123456789012345&zgdid=8123456789012345"]
)
def test_a_credential_may_be_a_parameter(query: str) -> None:
    assert parse_live_address(f"1234567890/s?{query}").right == CREDENTIAL


@pytest.mark.parametrize("query", ["zgseq=1&zgdid=77", "tok=1?s=1&zgseq=1&zgdid=77"])
def test_the_session_id_that_an_sdk_appends_is_a_right_where_the_path_has_none(query: str) -> None:
    """Mini-program 2.11.0 appends behind a second "?" if the app's own parameters already have one (``miniprogram-2.11.0.md`` §8.1)."""
    assert parse_live_address(f"1234567890/s?{query}").right == 77


def test_flv_address_reads_back() -> None:
    url = flv_url("https://rtc1.example.org", CREDENTIAL, "s")
    assert url == "https://rtc1.example.org/live/1234567890/a-Key_1.8123456789012345/s.flv"
    assert parse_live_address(url.partition("/live/")[2].removesuffix(".flv")).right == CREDENTIAL


@pytest.mark.parametrize(
    "path",
    [
        "",
        "1/k.2",
        "1/k.2/s/more",
        "1/k2/s",
        "1/.2/s",
        "x/k.2/s",
        "1/k.2/",
        "1/s",
        "1/s?zgdid=x",
        "1/s?zgdid=1&zgdid=2",
        "1/k.2/s p",
        "1/k.2/" + "s" * 257,
    ],
)
def test_other_rtmp_paths_are_refused(path: str) -> None:
    with pytest.raises(AddressInvalid):
        parse_live_address(path)


@given(st.text())
def test_any_rtmp_path_is_read_or_refused(path: str) -> None:
    with contextlib.suppress(AddressInvalid):
        parse_live_address(path)


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ("ws://127.0.0.1:8080", "rtmp://127.0.0.1:1935"),
        ("wss://a.example/p", "rtmp://a.example:1935"),
        ("ws://[::1]:80", "rtmp://[::1]:1935"),
    ],
)
def test_rtmp_goes_to_the_host_that_the_client_used(base: str, expected: str) -> None:
    assert rtmp_base(base, 1935) == expected


def test_secrets_are_not_printed() -> None:
    assert "a-Key_1" not in repr(CREDENTIAL) and "8123456789012345" not in repr(CREDENTIAL)
