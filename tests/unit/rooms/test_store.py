"""Store URLs and the scripts as texts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.asyncio.cluster import RedisCluster

import rooms
from rooms.scripts import script
from rooms.store import NODES, app_prefix, open_store

LUA = Path(rooms.__file__).parent / "lua"
NAMES = sorted(path.stem for path in LUA.glob("[a-z]*.lua"))


@pytest.mark.parametrize(
    "url, kind",
    [
        ("memory://", Redis),
        ("redis://127.0.0.1:6379/3", Redis),
        ("rediss://user:secret@example.org:6380/0", Redis),
        ("unix:///run/redis.sock", Redis),
        ("redis+sentinel://:secret@h1:26379,h2:26379/mymaster/2", Redis),
        ("redis+cluster://user:secret@h1:7000,h2:7001", RedisCluster),
    ],
)
async def test_every_kind_of_url_opens_without_connecting(url: str, kind: type) -> None:
    store = open_store(url)
    assert isinstance(store._client, kind)
    await store.aclose()


async def test_a_sentinel_url_names_service_database_and_password() -> None:
    store = open_store("redis+sentinel://:s%40cret@h1:26379,h2:26380/mymaster/2")
    pool = store._client.connection_pool  # type: ignore[union-attr]
    assert pool.service_name == "mymaster" and pool.connection_kwargs["db"] == 2 and pool.connection_kwargs["password"] == "s@cret"
    await store.aclose()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "memory",
        "http://x",
        "redis://:sec/ret@h1",
        "redis://:secret@h1:port",
        "redis://:secret@h1?sec=ret",
        "redis+sentinel://h1:1",
        "redis+sentinel://h1/x",
        "redis+sentinel:///x",
        "redis+sentinel://:sec/ret@h1:1/x",
        "redis+sentinel://h1:1/x/sec",
        "redis+cluster://h1",
        "redis+cluster://",
        "redis+cluster://:sec/ret@h1:1",
    ],
)
async def test_a_url_of_another_kind_or_form_is_a_mistake_that_is_told_without_its_secrets(url: str) -> None:
    with pytest.raises(ValueError, match="store url") as told:
        open_store(url)
    assert "sec" not in str(told.value)


def test_keys_of_one_app_share_a_slot_and_carry_the_layouts_version() -> None:
    assert app_prefix(7) == "hearth:1:{7}:" and NODES == "hearth:1:{nodes}:"


@pytest.mark.parametrize("name", NAMES)
def test_scripts_use_nothing_that_the_embedded_store_lacks(name: str) -> None:
    text = script(name).text
    assert not re.search(r"\b(cjson|cmsgpack|bit|struct)\s*\.", text)
    assert "--" not in text, "comments would be compiled at every call"


def test_a_script_brings_only_the_parts_it_names() -> None:
    assert "local function end_session" in script("end").text and "local function end_session" not in script("message").text
    assert len(script("login").sha) == 40 and script("login") is script("login")
