"""A course of many orders and every kind of disconnect, dealt by a seed; at its end all books agree to the lot.

The journal, our positions and the gateway's own books are each read from where they are kept. CHAOS_SEED=N repeats a
course.
"""

import os
import random
import secrets
import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from trading_scene import ACCOUNT, TradingScene, until

from trading.execution.fills import execution_base

DISCONNECTS: list[list[dict[str, Any]]] = [
    [{"kind": "close"}], [{"kind": "reset"}], [{"kind": "half_open"}], [{"kind": "truncate"}], [{"kind": "garbage"}],
    [{"kind": "restart"}], [{"kind": "restart", "size": 100}], [{"kind": "link_lost", "seconds": 2}],
    [{"kind": "data_lost", "seconds": 2}], [{"kind": "break_after", "request": "placeOrder"}],
    [{"kind": "lose", "request": "placeOrder"}], [{"kind": "unreachable", "seconds": 3}, {"kind": "close"}],
    [{"kind": "id_in_use", "seconds": 3}, {"kind": "close"}], [{"kind": "hold", "seconds": 3}, {"kind": "reset"}],
    [{"kind": "duplicate", "message": "execDetails", "times": 0}, {"kind": "close"}],
    [{"kind": "drop", "message": "orderStatus", "times": 5}, {"kind": "close"}],
    [{"kind": "empty", "seconds": 3}, {"kind": "close"}]]
LONDON = ZoneInfo("Europe/London")


@dataclass(frozen=True, kw_only=True)
class Course:
    """So many disconnects, with so many orders before each; `hours` of market time pass meanwhile, at `speed`."""

    rounds: int
    orders: int
    hours: float = 0.0
    speed: float = 1.0


def dealt_seed() -> int:
    return int(os.environ.get("CHAOS_SEED") or secrets.randbelow(1_000_000))


def run(scene: TradingScene, course: Course, seed: int) -> None:
    """Trade along `course`, then compare everything."""
    dice = random.Random(seed)
    names, before, memory_kb = scene.instruments(), net(scene), [resident_kb(scene)]
    if course.hours:
        scene.gateway.clock(to=next_morning(scene.now()).isoformat())
        scene.gateway.clock(speed=course.speed)
    begun = scene.now()
    for faults in dealt(dice, course.rounds):
        trade_through(scene, dice, names, course.orders, faults)
        memory_kb.append(resident_kb(scene))
        print(f"{len(memory_kb) - 1:3}. {' then '.join(each['kind'] for each in faults):24} "
              f"{memory_kb[-1] / 1000:6.1f} MB  {scene.now().astimezone(LONDON):%H:%M}")
    until(lambda: scene.now() - begun >= timedelta(hours=course.hours), 600, "all hours have passed")
    until(lambda: open_orders(scene) == 0 or scene.settle(120), 240, "no order is open")
    check_books(scene)
    check_wishes(scene, names, before)
    check_memory(memory_kb)


def dealt(dice: random.Random, rounds: int) -> list[list[dict[str, Any]]]:
    """Every kind once before any comes again."""
    cards: list[list[dict[str, Any]]] = []
    while len(cards) < rounds:
        cards += dice.sample(DISCONNECTS, len(DISCONNECTS))
    return cards[:rounds]


def trade_through(scene: TradingScene, dice: random.Random, names: list[str], orders: int,
                  faults: list[dict[str, Any]]) -> None:
    """Want some lots, and let `faults` strike at some moment while they are traded."""
    for _ in range(orders):
        scene.want(dice.choice(names), dice.choice((-2, -1, 1, 2)))
    struck_after_s = dice.uniform(0, 1.5)
    run = scene.start_handler()
    time.sleep(struck_after_s)
    for fault in faults:
        scene.gateway.fault(**fault)
    scene.handled(run, 120)
    scene.settle(120)


def check_books(scene: TradingScene) -> None:
    """Journal, positions and the gateway's books agree to the lot, and no order was sent twice."""
    assert scene.locks() == {}
    assert journaled(scene) == executed(scene)
    assert lots_in_journal(scene) == scene.books() == scene.theirs()
    references = Counter(row["order_ref"] for row in scene.gateway.state_of()["orders"])
    assert max(references.values()) == 1


def check_wishes(scene: TradingScene, names: list[str], before: Counter[str]) -> None:
    """Of no instrument more was traded than all orders together asked for."""
    after = net(scene)
    assert all(abs(after[name] - before[name]) <= most_wanted(scene, name) for name in names)


def check_memory(memory_kb: list[int]) -> None:
    """After a quarter of the course the service needs no more memory than it does then."""
    quarter = max(1, len(memory_kb) // 4)
    early, late = median(memory_kb[quarter:2 * quarter + 1]), median(memory_kb[-quarter:])
    print(f"memory: {memory_kb[0] / 1000:.1f} MB at first, {early / 1000:.1f} early, {late / 1000:.1f} late, "
          f"{max(memory_kb) / 1000:.1f} at most")
    assert late < early + GROWTH_KB


GROWTH_KB = 8_000


def next_morning(now: datetime) -> datetime:
    """Eight o'clock of the next weekday: a whole trading day lies ahead."""
    day = now.astimezone(LONDON).date() + timedelta(days=1)
    while day.weekday() > 4:
        day += timedelta(days=1)
    return datetime(day.year, day.month, day.day, 8, tzinfo=LONDON)


def most_wanted(scene: TradingScene, name: str) -> int:
    rows = scene.store().database.instrument_orders.find({"instrument": name, "strategy": "example"})
    return sum(abs(int(row["quantity"])) for row in rows)


def net(scene: TradingScene) -> Counter[str]:
    """Lots an instrument, by our books."""
    held: Counter[str] = Counter()
    for row in scene.store().database.contract_positions.find({}):
        held[row["_id"].rpartition("/")[0]] += int(row["quantity"])
    return held


def open_orders(scene: TradingScene) -> int:
    return int(scene.store().database.instrument_orders.count_documents({"lifecycle": {"$ne": "CLOSED"}}))


def told_executions(scene: TradingScene) -> list[dict[str, Any]]:
    rows = scene.store().database.broker_messages.find({"kind": "execution"})
    return [row["facts"] for row in rows]


def journaled(scene: TradingScene) -> set[str]:
    """The executions that the journal holds, each once."""
    rows = [facts["execution_id"] for facts in told_executions(scene)]
    assert len(rows) == len(set(rows))
    return set(rows)


def executed(scene: TradingScene) -> set[str]:
    return {row["exec_id"] for row in scene.gateway.state_of()["executions"]}


def lots_in_journal(scene: TradingScene) -> dict[int, int]:
    """Positions by the words of the broker alone; of each execution its newest revision counts."""
    newest: dict[str, dict[str, Any]] = {}
    for facts in told_executions(scene):
        base, revision = execution_base(facts["execution_id"])
        if base not in newest or revision > execution_base(newest[base]["execution_id"])[1]:
            newest[base] = facts
    lots: Counter[int] = Counter()
    for facts in newest.values():
        assert facts["account"] == ACCOUNT
        lots[facts["con_id"]] += facts["quantity"]
    return {con_id: held for con_id, held in lots.items() if held}


def resident_kb(scene: TradingScene) -> int:
    assert scene.process is not None
    lines = Path(f"/proc/{scene.process.pid}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmRSS")))
