"""What forwarding costs a media node: CPU time, memory and delay; Hearth alone or beside others, by the same load generator.

``python -m bench.sfu --fan 20 100 300 --mesh 10 20 40 --against naive janus janus-loops``

Each scenario starts the measured server in a process of its own and connects real ICE + DTLS + SRTP sessions to it, on one machine:
``fan N`` is one publisher and N players, ``mesh N`` is N people who all publish and all play each other, ``crowd NxM`` is N people who
all publish, each played by M, of whom three seconds long K talk (``--loudest K``: the node forwards the K loudest alone). Targets
take turns, ``--rounds`` times; printed is each round, and then the ratio of the medians.

CPU time is that of the whole server process divided by the packets that players received: ingress, reports, ICE checks and idle are in
it. Delay is from the publisher's send call to the player's receive call, the load generator's own wake-up included. Memory is
what the process grew by, divided by its sessions. ``join`` is the time from a player's offer to its first packet, with 0…20 ms of
waiting for that packet in it. ``floor`` is the CPU time of a bare ``sendto`` of the same size in a Python loop, in the same run.
"""

from __future__ import annotations

import argparse
import socket
import statistics
import time
from collections.abc import Awaitable, Callable

import uvloop

from bench.sfu.janus import Janus, installed
from bench.sfu.measurement import PAYLOAD, Result, Scenario, join_times, measure
from bench.sfu.target import DrivenProcess, Target

_OTHERS: dict[str, Callable[[], Awaitable[Target]]] = {
    "naive": lambda: DrivenProcess.start("bench.sfu.naive_relay", decodes=True),
    "janus": Janus.start,
    "janus-loops": lambda: Janus.start(event_loops=1),
}
"""``naive``: aiortc's peer connections and ``MediaRelay``. ``janus-loops``: one thread for all sessions, its quickest way on few cores."""


_HEAD = "scenario     target       CPU µs/packet  cores  p50 ms  p99 ms  KiB/session         received"


def floor(packets: int = 20_000) -> float:
    """CPU microseconds of a bare ``sendto`` to a hundred sockets."""
    receivers = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(100)]
    try:
        for receiver in receivers:
            receiver.bind(("127.0.0.1", 0))
        addresses = [receiver.getsockname() for receiver in receivers]
        data = bytes(12 + PAYLOAD + 16)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            started = time.process_time()
            for _ in range(packets // len(addresses)):
                for address in addresses:
                    sender.sendto(data, address)
            return (time.process_time() - started) * 1e6 / packets
    finally:
        for receiver in receivers:
            receiver.close()


def _scenarios(options: argparse.Namespace) -> list[Scenario]:
    made = [Scenario(f"fan {count}", {"s": count}) for count in options.fan]
    made += [Scenario(f"mesh {count}", {f"s{person}": count - 1 for person in range(count)}) for count in options.mesh]
    for crowd in options.crowd:
        people, players = (int(part) for part in crowd.split("x"))
        speakers = options.loudest or people
        made.append(Scenario(f"crowd {crowd}", {f"s{person}": players for person in range(people)}, speakers, speakers / people))
    return made


async def _run(options: argparse.Namespace) -> None:
    hearth = ["--loudest", str(options.loudest)] if options.loudest else []
    targets: dict[str, Callable[[], Awaitable[Target]]] = {"hearth": lambda: DrivenProcess.start("bench.sfu.node", *hearth)}
    for name in options.against:
        if name.startswith("janus") and not installed():
            print(f"{name}: left out, janus is not installed (apt-get install janus)")
        else:
            targets[name] = _OTHERS[name]
    print(f"floor: bare sendto {floor():.1f} µs")
    if options.join:
        target = await targets["hearth"]()
        times = await join_times(target, options.join)
        await target.stop()
        print(f"join to first packet: median {times[len(times) // 2]:.0f} ms, slowest of {len(times)} {times[-1]:.0f} ms")
    print(_HEAD)
    for scenario in _scenarios(options):
        results: dict[str, list[Result]] = {name: [] for name in targets}
        for _ in range(options.rounds):
            for name, start in targets.items():
                target = await start()
                try:
                    result = await measure(target, scenario, seconds=options.seconds, settle=options.settle)
                finally:
                    await target.stop()
                results[name].append(result)
                _print(scenario, name, result)
        _print_ratios(scenario, results)


def _print(scenario: Scenario, target: str, result: Result) -> None:
    print(
        f"{scenario.name:<12} {target:<12} {result.cpu_us:>13.1f} {result.load:>6.2f} {result.p50_ms:>7.2f} {result.p99_ms:>7.2f}"
        f" {result.kib:>12.0f} {result.forwarded:>8}/{result.expected:<7}" + (f"  {result.broken} BROKEN" if result.broken else ""),
        flush=True,
    )


def _print_ratios(scenario: Scenario, results: dict[str, list[Result]]) -> None:
    """Of medians over the rounds; the better Janus counts."""
    cpu = {name: statistics.median(result.cpu_us for result in rounds) for name, rounds in results.items()}
    rivals = {name: figure for name, figure in cpu.items() if name != "hearth"}
    best = min((name for name in rivals if name.startswith("janus")), key=rivals.__getitem__, default=None)
    for name in [best, "naive"]:
        if name in rivals:
            ratio = cpu["hearth"] / rivals[name]
            print(f"{scenario.name}: hearth {cpu['hearth']:.1f} / {name} {rivals[name]:.1f} = {ratio:.3g}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.sfu", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fan", type=int, nargs="*", default=[20, 100], help="players of one publisher")
    parser.add_argument("--mesh", type=int, nargs="*", default=[20], help="people who all publish and all play each other")
    parser.add_argument("--crowd", nargs="*", default=[], metavar="NxM", help="N publishers, each played by M")
    parser.add_argument("--loudest", type=int, default=0, metavar="K", help="forward the K loudest streams alone; K talk at one time")
    parser.add_argument("--against", nargs="*", choices=sorted(_OTHERS), default=[], help="measure these in the same run")
    parser.add_argument("--rounds", type=int, default=1, help="how often the targets take turns")
    parser.add_argument("--join", type=int, default=20, help="players that join a running stream one after the other; 0 = skip")
    parser.add_argument("--seconds", type=float, default=10, help="measured time of each scenario")
    parser.add_argument("--settle", type=float, default=1, help="time before it")
    uvloop.run(_run(parser.parse_args()))


if __name__ == "__main__":
    main()
