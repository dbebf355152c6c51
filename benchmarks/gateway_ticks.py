"""Market data from the simulated gateway to ten clients at once: how many messages a second, and what else waits.

The gateway is a process of its own; the clients are sockets here that only count frames. Three loads: the sizes that
the fault `flood` sends, as many as are wanted and then as many as go, and the quotes of a market that is moved on to
its next recorded day as soon as it has told everybody of the last.
"""

import itertools
import re
import selectors
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.process_use import cpu_s
from trading.broker.simulated.control_client import GatewayControl
from trading.data.csv.sample_markets import MARKETS, Market, write_sample_markets

ROOT = Path(__file__).resolve().parents[1]
CLIENTS, LINES = 10, 250  # lines of each client
WANTED_PER_S, TOO_MANY_PER_S = 2_000, 200_000  # messages to each client
WARM_UP_S, MEASURED_S, ASK_S = 2.0, 10.0, 0.02
WARM_UP_DAYS, DAYS = 5, 50
QUARTERS = tuple(market for market in MARKETS if market.hold == "HMUZ")
MONTH = "202109"  # which all of them quote from the first to the last of these days
HELLO = b"API\0" + struct.pack(">I", 9) + b"v157..178"
SETTINGS = "settings: {limits: {lines: 10000, messages_a_second: 10000}}"


@dataclass
class Counter:
    """One client: how many frames it heard."""

    end: socket.socket
    frames: int = 0
    _rest: bytearray = field(default_factory=bytearray)

    def read(self) -> None:
        """Whatever is there now.

        Raises:
            ConnectionError: the gateway has hung up.
        """
        data = self.end.recv(1 << 20)
        if not data:
            raise ConnectionError("the gateway has hung up")
        self._rest += data
        at, count, last = 0, 0, len(self._rest)
        while at + 4 <= last and at + 4 + (length := int.from_bytes(self._rest[at:at + 4], "big")) <= last:
            at, count = at + 4 + length, count + 1
        del self._rest[:at]
        self.frames += count


def measure(folder: Path) -> tuple[dict[str, float], dict[str, float], dict[str, float]]:
    """What all clients heard together: as much as was wanted, as much as went, and of a moving market."""
    with running(folder) as (pid, port, control):
        clients = [connected(port, number) for number in range(1, CLIENTS + 1)]
        for client in clients:
            subscribe(client.end, 1)
        control.fault("flood", size=WANTED_PER_S, seconds=600)
        asked = heard(clients, port, pid)
        control.fault("flood", size=TOO_MANY_PER_S, seconds=600)
        most = heard(clients, port, pid)
        control.clear()
        for client in clients:
            subscribe(client.end, LINES)
        listen(clients, WARM_UP_S, connected(port, 98))
        quotes = moved_on(clients, control, pid)
        for client in clients:
            client.end.close()
    return asked, most, quotes


@contextmanager
def running(folder: Path, markets: Sequence[Market] = MARKETS) -> Iterator[tuple[int, int, GatewayControl]]:
    """A gateway on sample markets, two years before their end: its process, its port, its controls."""
    folder.mkdir(parents=True, exist_ok=True)
    write_sample_markets(folder / "markets", 1, markets=markets)
    (folder / "scenario.yaml").write_text(SETTINGS)
    words = [sys.executable, "-m", "daemon.market.simulated_gateway", "--port", "0", "--data", str(folder / "markets"),
             "--state", str(folder / "state"), "--scenario", str(folder / "scenario.yaml"),
             "--as-of", "2021-06-07T12:00:00+00:00"]
    with (folder / "log").open("w") as log, subprocess.Popen(words, cwd=ROOT, text=True, stdout=subprocess.PIPE,
                                                            stderr=log) as process:
        assert process.stdout is not None
        port = int(re.findall(r"listening on (\d+)", process.stdout.readline())[0])
        try:
            yield process.pid, port, GatewayControl(folder / "state")
        finally:
            process.terminate()


def moved_on(clients: list[Counter], control: GatewayControl, pid: int) -> dict[str, float]:
    """What `clients` hear of the quotes of `DAYS` weekdays, each as soon as they have heard all of the day before."""
    weekdays = itertools.cycle((1, 1, 1, 1, 3))  # days from a Monday to the next one
    for _ in range(WARM_UP_DAYS):
        move(clients, control, next(weekdays))
    before, used, started = sum(client.frames for client in clients), cpu_s(pid), time.perf_counter()
    took = [move(clients, control, next(weekdays)) for _ in range(DAYS)]
    total_s = time.perf_counter() - started
    return {"per_s": (sum(client.frames for client in clients) - before) / total_s,
            "cpu_percent": 100 * (cpu_s(pid) - used) / total_s, "worst_day_ms": max(took) * 1000}


def move(clients: list[Counter], control: GatewayControl, days: int) -> float:
    """Seconds from the order to move the clock to the last quote that came of it."""
    started = last = time.perf_counter()
    thread = threading.Thread(target=control.clock, kwargs={"forward_s": days * 86_400})
    thread.start()
    with selectors.DefaultSelector() as selector:
        for each in clients:
            selector.register(each.end, selectors.EVENT_READ, each)
        while (found := selector.select(0 if not thread.is_alive() else 0.005)) or thread.is_alive():
            for key, _ in found:
                key.data.read()
                last = time.perf_counter()
    thread.join()
    return last - started


def connected(port: int, client_id: int) -> Counter:
    """A client that has got its ids."""
    end = socket.create_connection(("127.0.0.1", port), timeout=30)
    end.sendall(HELLO)
    end.recv(4096)
    end.sendall(frame("71", "2", str(client_id), ""))
    end.recv(4096)
    return Counter(end)


def subscribe(end: socket.socket, lines: int) -> None:
    """So many lines of one month, round and round the markets."""
    for number in range(lines):
        market = QUARTERS[number % len(QUARTERS)]
        contract = ("0", market.symbol, "FUT", MONTH, "0.0", "", "", market.exchange, "", market.currency, "", "")
        end.sendall(frame("1", "11", str(lines * 1000 + number), *contract, "0", "", "0", "0", ""))


def heard(clients: list[Counter], port: int, pid: int) -> dict[str, float]:
    """What `clients` hear over the measured time, and how long somebody else waits for the time of day."""
    asker = connected(port, 99)
    listen(clients, WARM_UP_S, asker)
    before, used, started = [client.frames for client in clients], cpu_s(pid), time.perf_counter()
    waits = listen(clients, MEASURED_S, asker)
    took = time.perf_counter() - started
    counts = [(client.frames - old) / took for client, old in zip(clients, before, strict=True)]
    asker.end.close()
    return {"per_s": sum(counts), "least_per_s": min(counts), "cpu_percent": 100 * (cpu_s(pid) - used) / took,
            "wait_p50_ms": sorted(waits)[len(waits) // 2] * 1000, "wait_worst_ms": max(waits) * 1000}


def listen(clients: list[Counter], seconds: float, asker: Counter) -> list[float]:
    """Read what comes, and ask the time every now and then; how long each answer took."""
    waits: list[float] = []
    with selectors.DefaultSelector() as selector:
        for each in (*clients, asker):
            selector.register(each.end, selectors.EVENT_READ, each)
        now = asked_s = time.perf_counter()
        deadline, is_waiting = now + seconds, False
        while (now := time.perf_counter()) < deadline:
            if not is_waiting and now - asked_s > ASK_S:
                asker.end.sendall(frame("49", "1"))
                asked_s, is_waiting, before = now, True, asker.frames
            for key, _ in selector.select(ASK_S):
                key.data.read()
            if is_waiting and asker.frames > before:
                waits.append(time.perf_counter() - asked_s)
                is_waiting = False
    return waits


def frame(*fields: str) -> bytes:
    """One message of a client."""
    payload = b"".join(text.encode() + b"\0" for text in fields)
    return struct.pack(">I", len(payload)) + payload


if __name__ == "__main__":
    import json
    import tempfile

    with tempfile.TemporaryDirectory(prefix="tradingd-ticks-") as place:
        print(json.dumps(dict(zip(("asked", "most", "quotes"), measure(Path(place)), strict=True)), indent=2))
