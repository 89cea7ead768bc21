"""How many WebSockets are let in."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from server.connections import ConnectionRefused, Connections
from server.metrics import Metrics
from server.settings import LimitSettings


def test_one_address_cannot_take_all() -> None:
    connections = Connections(LimitSettings(connections_per_address=2), Metrics())
    with ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(connections.admitted("192.0.2.1", "room_json"))
        with pytest.raises(ConnectionRefused) as refused, connections.admitted("192.0.2.1", "room_json"):
            pass
        assert refused.value.status == 429
        stack.enter_context(connections.admitted("192.0.2.2", "room_json"))
        assert connections.total == 3
    assert connections.total == 0
    with connections.admitted("192.0.2.1", "room_json"):
        assert connections.total == 1


def test_node_has_a_limit_too() -> None:
    connections = Connections(LimitSettings(connections=1), Metrics())
    with connections.admitted("192.0.2.1", "media_json"):
        with pytest.raises(ConnectionRefused) as refused, connections.admitted("192.0.2.2", "media_json"):
            pass
        assert refused.value.status == 503


def test_zero_means_unlimited() -> None:
    connections = Connections(LimitSettings(connections_per_address=0), Metrics())
    with ExitStack() as stack:
        for _ in range(3000):
            stack.enter_context(connections.admitted("192.0.2.1", "room_json"))
        assert connections.total == 3000


def test_figures_follow() -> None:
    metrics = Metrics()
    connections = Connections(LimitSettings(connections_per_address=1), metrics)
    with connections.admitted("192.0.2.1", "room_json"):
        assert 'hearth_connections{dialect="room_json"} 1.0' in metrics.text().decode()
        with pytest.raises(ConnectionRefused), connections.admitted("192.0.2.1", "room_json"):
            pass
    text = metrics.text().decode()
    assert 'hearth_connections{dialect="room_json"} 0.0' in text
    assert 'hearth_connections_opened_total{dialect="room_json"} 1.0' in text
    assert 'hearth_connections_refused_total{reason="address_full"} 1.0' in text


def test_addresses_of_one_ipv6_network_count_as_one() -> None:
    connections = Connections(LimitSettings(connections_per_address=1), Metrics())
    with connections.admitted("2001:db8::1", "room_json"), connections.admitted("2001:db8:0:1::1", "room_json"):
        with pytest.raises(ConnectionRefused), connections.admitted("2001:db8::2:1", "room_json"):
            pass
        assert connections.total == 2
    assert connections.total == 0
