"""X41: many orders and every kind of disconnect, at random and repeatable by seed; then all books agree to the lot.

CHAOS_SEED=N repeats a course; the short form is run by `make chaos`, the long one by `make soak`.
"""

import os
import random
import secrets
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from trading_scene import TradingScene, until

from trading.data.mongo.books import MongoBooks

DISCONNECTS: list[list[dict[str, Any]]] = [
    [{"kind": "close"}], [{"kind": "reset"}], [{"kind": "half_open"}], [{"kind": "truncate"}], [{"kind": "garbage"}],
    [{"kind": "restart"}], [{"kind": "restart", "size": 100}], [{"kind": "link_lost", "seconds": 2}],
    [{"kind": "data_lost", "seconds": 2}], [{"kind": "break_after", "request": "placeOrder"}],
    [{"kind": "lose", "request": "placeOrder"}], [{"kind": "unreachable", "seconds": 3}, {"kind": "close"}],
    [{"kind": "id_in_use", "seconds": 3}, {"kind": "close"}], [{"kind": "hold", "seconds": 3}, {"kind": "reset"}],
    [{"kind": "duplicate", "message": "execDetails", "times": 0}, {"kind": "close"}],
    [{"kind": "drop", "message": "orderStatus", "times": 5}, {"kind": "close"}],
    [{"kind": "empty", "seconds": 3}, {"kind": "close"}]]


@pytest.mark.parametrize(("rounds", "orders"), [(5, 6), pytest.param(20, 25, marks=pytest.mark.soak)])
def test_x41_all_books_agree_after_whatever_happened(scene: TradingScene, rounds: int, orders: int,
                                                      capsys: pytest.CaptureFixture[str]) -> None:
    seed = int(os.environ.get("CHAOS_SEED") or secrets.randbelow(1_000_000))
    with capsys.disabled():
        print(f"\nCHAOS_SEED={seed}")
    dice = random.Random(seed)
    names, before, memory_kb = scene.instruments(), net(scene), resident_kb(scene)

    for _ in range(rounds):
        for _ in range(orders):
            scene.want(dice.choice(names), dice.choice((-2, -1, 1, 2)))
        run = scene.start_handler()
        time.sleep(dice.uniform(0, 1.5))
        for fault in dice.choice(DISCONNECTS):
            scene.gateway.fault(**fault)
        scene.handled(run, 120)
        scene.settle(120)

    until(lambda: open_orders(scene) == 0 or scene.settle(120), 240, "no order is open")
    assert scene.books() == scene.theirs()
    assert scene.locks() == {}
    assert journaled(scene) == executed(scene)
    references = Counter(row["order_ref"] for row in scene.gateway.state_of()["orders"])
    assert max(references.values()) == 1
    after = net(scene)
    assert all(abs(after[name] - before[name]) <= most_wanted(scene, name) for name in names)
    assert resident_kb(scene) < memory_kb + 60_000


def most_wanted(scene: TradingScene, name: str) -> int:
    """Never more than all orders together asked for."""
    rows = scene.store().database.instrument_orders.find({"instrument": name, "strategy": "example"})
    return sum(abs(int(row["quantity"])) for row in rows)


def net(scene: TradingScene) -> Counter[str]:
    """Lots an instrument, by our books."""
    held: Counter[str] = Counter()
    for key, lots in MongoBooks(scene.store()).contract_positions().items():
        held[key.rpartition("/")[0]] += lots
    return held


def open_orders(scene: TradingScene) -> int:
    return int(scene.store().database.instrument_orders.count_documents({"lifecycle": {"$ne": "CLOSED"}}))


def journaled(scene: TradingScene) -> set[str]:
    """The executions that the journal holds, each once."""
    rows = [row["facts"]["execution_id"] for row in
            scene.store().database.broker_messages.find({"kind": "execution"})]
    assert len(rows) == len(set(rows))
    return set(rows)


def executed(scene: TradingScene) -> set[str]:
    return {row["exec_id"] for row in scene.gateway.state_of()["executions"]}


def resident_kb(scene: TradingScene) -> int:
    assert scene.process is not None
    lines = Path(f"/proc/{scene.process.pid}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmRSS")))
