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
from itertools import product
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from trading_scene import ACCOUNT, TradingScene, until

from trading.execution.fills import execution_base

Faults = list[dict[str, Any]]
DISCONNECTS: tuple[Faults, ...] = (
    [{"kind": "close"}], [{"kind": "reset"}], [{"kind": "half_open"}], [{"kind": "truncate"}], [{"kind": "garbage"}],
    [{"kind": "restart"}], [{"kind": "restart", "size": 100}], [{"kind": "link_lost", "seconds": 2}],
    [{"kind": "data_lost", "seconds": 2}], [{"kind": "break_after", "request": "placeOrder"}],
    [{"kind": "lose", "request": "placeOrder"}], [{"kind": "unreachable", "seconds": 3}, {"kind": "close"}],
    [{"kind": "id_in_use", "seconds": 3}, {"kind": "close"}], [{"kind": "hold", "seconds": 3}, {"kind": "reset"}],
    [{"kind": "duplicate", "message": "execDetails", "times": 0}, {"kind": "close"}],
    [{"kind": "drop", "message": "orderStatus", "times": 5}, {"kind": "close"}],
    [{"kind": "empty", "seconds": 3}, {"kind": "close"}])
QUICK = tuple(faults for faults in DISCONNECTS if faults != [{"kind": "half_open"}])  # that takes six seconds to notice
LONDON = ZoneInfo("Europe/London")
KB_AT_FIRST = 8_000  # what each part of the service needs when it works for the first time
KB_AN_ORDER = 45
IDLE_KB = 1_500


@dataclass(frozen=True, kw_only=True)
class Course:
    """So many disconnects, with so many orders before each; `hours` of market time pass meanwhile, at `speed`.

    At the end the connection breaks `idle` times more, and nothing is traded.
    """

    rounds: int
    orders: int
    idle: int = 0
    kinds: tuple[Faults, ...] = DISCONNECTS
    hours: float = 0.0
    speed: float = 1.0


def dealt_seed() -> int:
    return int(os.environ.get("CHAOS_SEED") or secrets.randbelow(1_000_000))


def run(scene: TradingScene, course: Course, seed: int) -> None:
    """Trade along `course`, then compare everything."""
    dice = random.Random(seed)
    names, before, memory_kb = scene.instruments(), scene.net(), [resident_kb(scene)]
    if course.hours:
        scene.gateway.clock(to=next_morning(scene.now()).isoformat())
        scene.gateway.clock(speed=course.speed)
    begun = scene.now()
    for faults in dealt(dice, course):
        trade_through(scene, dice, names, course.orders, faults)
        memory_kb.append(resident_kb(scene))
        print(f"{len(memory_kb) - 1:3}. {' then '.join(each['kind'] for each in faults):24} "
              f"{memory_kb[-1] / 1000:6.1f} MB  {scene.now().astimezone(LONDON):%H:%M}")
    until(lambda: scene.now() - begun >= timedelta(hours=course.hours), 600, "all hours have passed")
    until(lambda: open_orders(scene) == 0 or scene.settle(120), 240, "no order is open")
    check_books(scene)
    check_wishes(scene, names, before)
    check_memory(memory_kb, idle_memory_kb(scene, course.idle), course.rounds * course.orders)


def dealt(dice: random.Random, course: Course) -> list[Faults]:
    """Every kind once before any comes again."""
    cards: list[Faults] = []
    while len(cards) < course.rounds:
        cards += dice.sample(course.kinds, len(course.kinds))
    return cards[:course.rounds]


def trade_through(scene: TradingScene, dice: random.Random, names: list[str], orders: int,
                  faults: Faults) -> None:
    """Want some lots, and let `faults` strike at some moment while they are traded.

    No order repeats another of its round: each that does waits a minute for the one before (RC-18).
    """
    for name, lots in dice.sample(list(product(names, (-2, -1, 1, 2))), orders):
        scene.want(name, lots)
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
    after = scene.net()
    assert all(abs(after[name] - before[name]) <= most_wanted(scene, name) for name in names)


def idle_memory_kb(scene: TradingScene, disconnects: int) -> list[int]:
    """What the service needs after each of some disconnects between which nothing is traded."""
    memory_kb = []
    for _ in range(disconnects):
        known = connections(scene)
        scene.gateway.fault("close")
        until(lambda known=known: connections(scene) > known and scene.link == "ready", 60, "the link is ready again")
        memory_kb.append(resident_kb(scene))
    return memory_kb


def check_memory(trading_kb: list[int], idle_kb: list[int], orders: int) -> None:
    """The library keeps each order of the day once; beyond that nothing grows, however often the connection breaks."""
    grown_kb = trading_kb[-1] - trading_kb[0]
    print(f"memory: {trading_kb[0] / 1000:.1f} MB at first, {trading_kb[-1] / 1000:.1f} after {orders} orders")
    assert grown_kb < KB_AT_FIRST + KB_AN_ORDER * orders
    if idle_kb:
        later = idle_kb[(len(idle_kb) - 1) // 2:]
        print(f"memory: {later[-1] - later[0]:+d} kB over the last {len(later) - 1} of {len(idle_kb)} idle disconnects")
        assert later[-1] - later[0] < IDLE_KB


def connections(scene: TradingScene) -> int:
    """How often the service has connected, by its journal."""
    return int(scene.store().database.broker_messages.count_documents({"kind": "connected"}))


def next_morning(now: datetime) -> datetime:
    """Eight o'clock of the next weekday: a whole trading day lies ahead."""
    day = now.astimezone(LONDON).date() + timedelta(days=1)
    while day.weekday() > 4:
        day += timedelta(days=1)
    return datetime(day.year, day.month, day.day, 8, tzinfo=LONDON)


def most_wanted(scene: TradingScene, name: str) -> int:
    rows = scene.store().database.instrument_orders.find({"instrument": name, "strategy": "example"})
    return sum(abs(int(row["quantity"])) for row in rows)


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
