"""The invariants of orders_and_risk.md 7.1 as functions over the world of the order machine.

Each yields the sentences of what is wrong. Those that speak of the end are for a world at rest. What cannot be seen
in this world is checked elsewhere: `coverage.py` says where.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from order_world import AnyOrder, OrderWorld

from trading.execution.broker_orders import MOVES, BrokerLifecycle, BrokerOrder
from trading.execution.fills import EXTERNAL
from trading.execution.locks import LockCause
from trading.execution.order_states import CHANGES, Flag
from trading.risk.exposure import Effect
from trading.risk.kill_level import KillLevel
from trading.risk.order_kind import OrderKind

_B = BrokerLifecycle
_BROKEN_WORD = frozenset({Flag.LATE_FILL, Flag.CORRECTED, Flag.MANUAL_TOUCH, Flag.OVERFILL})
Found = Iterator[str]


def v01(world: OrderWorld) -> Found:
    """For each leg abs(fill) + committed <= abs(qty), unless OVERFILL is set and the instrument is locked.

    A broker that takes back its own word, or a person who edits an order there, is flagged; then only fills count.
    """
    for leg in world.store.contract.values():
        children = world.orders.broker_orders_of(leg.id)
        committed, flags = sum(each.committed for each in children), leg.flags.union(*(each.flags for each in children))
        if abs(leg.filled) > abs(leg.quantity) and not (Flag.OVERFILL in leg.flags and _was_locked(world, leg.id)):
            yield f"{leg.id} is for {leg.quantity:+d}, has filled {leg.filled:+d}, and nobody was told"
        if abs(leg.filled + committed) > abs(leg.quantity) and not flags & _BROKEN_WORD:
            yield f"{leg.id} is for {leg.quantity:+d}: {leg.filled:+d} filled, {committed:+d} committed"


def _was_locked(world: OrderWorld, leg: str) -> bool:
    names = {leg, *(each.id for each in world.orders.broker_orders_of(leg))}
    return any(f"{LockCause.OVERFILL}|{name}" in lock for lock in world.seen_locks for name in names)


def v02(world: OrderWorld) -> Found:
    """The wire sees at most one new-order message per broker order, for all crash and retry schedules."""
    for key, times in Counter(each.order.id for each in world.wire).items():
        if times > 1:
            yield f"{key} was sent {times} times"


def v03(world: OrderWorld) -> Found:
    """An ib_order_id is never used for two broker orders, also after nextValidId goes back."""
    for number, times in Counter(each.order.ib_order_id for each in world.wire).items():
        if times > 1:
            yield f"id {number} was used for {times} orders"


def v04(world: OrderWorld) -> Found:
    """A replacement exists only if every earlier broker order for that quantity is dead, in truth."""
    alive = {each.reference for each in world.broker.live()}
    for leg in world.store.contract.values():
        children = world.orders.broker_orders_of(leg.id)
        for earlier in children[:-1]:
            if earlier.id in alive or earlier.may_be_alive:
                yield f"{children[-1].id} exists and {earlier.id} may still trade"


def v05(world: OrderWorld) -> Found:
    """Only table transitions occur."""
    for versions in _versions(world).values():
        for old, new in pairwise(versions):
            table = MOVES if isinstance(old, BrokerOrder) else CHANGES
            if new.lifecycle is not old.lifecycle and new.lifecycle not in table[old.lifecycle]:  # type: ignore[index]
                yield f"{old.id} went from {old.lifecycle} to {new.lifecycle}"


def v07(world: OrderWorld) -> Found:
    """Fills of an instrument order = of its contract orders = of its broker orders = of the fill rows."""
    for order in world.store.broker.values():
        rows = Counter[int]()
        for each in world.store.fills.values():
            if each.broker_order == order.id:
                rows[each.con_id] += each.quantity
        if {con_id: lots for con_id, lots in rows.items() if lots} != _lots_of(order):
            yield f"{order.id} has filled {_lots_of(order)} by contract, its rows sum to {dict(rows)}"
    for leg in world.store.contract.values():
        below = sum(each.filled for each in world.orders.broker_orders_of(leg.id))
        if below != leg.filled:
            yield f"{leg.id} has filled {leg.filled:+d}, its children {below:+d}"
    for parent in world.store.instrument.values():
        below = sum(each.filled for each in world.orders.contract_orders_of(parent.id))
        if below != parent.filled and parent.kind is not OrderKind.ROLL:
            yield f"{parent.id} has filled {parent.filled:+d}, its children {below:+d}"


def _lots_of(order: BrokerOrder) -> dict[int, int]:
    """What it has filled by the broker's contract number: of a spread, in each of its months."""
    found = {order.con_id: order.filled}
    if order.spread is not None:
        near, far = order.spread.near.con_id, order.spread.far.con_id
        found = {near: order.spread.near_filled, far: order.spread.far_filled}
        units = min(-found[near], found[far], key=abs) if found[near] * found[far] < 0 else 0
        assert order.filled == units, f"V7: {order.id} has filled {order.filled:+d} units of {found}"
    return {con_id: lots for con_id, lots in found.items() if lots}


def v08(world: OrderWorld) -> Found:
    """Materialised positions = fold from zero, after every commit."""
    if world.store.positions != world.store.rebuilt:
        yield f"{world.store.positions} is not {world.store.rebuilt}"


def v09(world: OrderWorld) -> Found:
    """For each instrument: sum over strategies and _EXTERNAL = sum over contracts."""
    if uneven := world.store.positions.uneven():
        yield str(uneven)


def v10(world: OrderWorld) -> Found:
    """At rest and without a lock our positions are the broker's."""
    ours = world.store.positions.contracts
    if not world.store.locks and ours != world.broker.positions:
        yield f"we hold {dict(ours)}, the broker says {world.broker.positions}"


def v11(world: OrderWorld) -> Found:
    """Exactly one active revision per execution: the highest that was heard."""
    for fill in world.store.fills.values():
        numbers = [each.number for each in fill.revisions]
        if numbers != sorted(set(numbers)) or fill.revision != max(numbers):
            yield f"{fill.id} counts revision {fill.revision} of {numbers}"


def v13(world: OrderWorld) -> Found:
    """The sign of fills is the sign of their order."""
    for fill in world.store.fills.values():
        order = None if fill.broker_order is None else world.store.broker[fill.broker_order]
        if order is not None and fill.quantity * side_of(order, fill.con_id) < 0:
            yield f"{fill.id} for {fill.quantity:+d} belongs to {fill.broker_order}"


def side_of(order: BrokerOrder, con_id: int) -> int:
    """The sign of what `order` trades in a contract."""
    is_near = order.spread is not None and con_id == order.spread.near.con_id
    return (-1 if is_near else 1) * (1 if order.quantity > 0 else -1)


def v18(world: OrderWorld) -> Found:
    """At K3 and above no message that raises worst-side exposure leaves."""
    for each in world.wire:
        may = each.order.kind is OrderKind.FLATTEN and each.effect is Effect.REDUCES_RISK
        if each.level >= KillLevel.K3_HALT and not may:
            yield f"{each.order.id} left at {each.level.name}"


def v19(world: OrderWorld) -> Found:
    """At rest after K3 the broker has no open order of ours, or an alert is active."""
    out = [each.reference for each in world.broker.live() if each.reference in world.store.broker]
    if world.kill.level >= KillLevel.K3_HALT and out and not world.alerts:
        yield f"{out} work at {world.kill.level.name} and nobody is told"


def v21(world: OrderWorld) -> Found:
    """No order message while the gate is closed or the order's epoch is not the current one."""
    for each in world.wire:
        if each.order.epoch != each.link_epoch or not each.is_linked or each.problem is not None:
            yield f"{each.order.id} of {each.order.epoch} left on {each.link_epoch}: {each.problem}"


def v22(world: OrderWorld) -> Found:
    """Nothing is sent on a contract while the fate of an order there is unknown."""
    for each in world.wire:
        if each.unknown_beside:
            yield f"{each.order.id} left beside {each.unknown_beside}"


def v22_at_rest(world: OrderWorld) -> Found:
    """Each UNKNOWN ends in a proof or an alert within bounded time."""
    told = {each.subject for each in world.store.locks.values()}
    for order in world.store.broker.values():
        if order.lifecycle is _B.UNKNOWN and order.id not in told:
            yield f"nobody is told that the fate of {order.id} is unknown"


def v23(world: OrderWorld) -> Found:
    """No live descendant under a closed ancestor."""
    for order in world.store.broker.values():
        if order.may_be_alive and not world.store.contract[order.parent].is_open:
            yield f"{order.id} is {order.lifecycle} under a closed parent"
    for leg in world.store.contract.values():
        if leg.is_open and not world.store.instrument[leg.parent].is_open:
            yield f"{leg.id} is {leg.lifecycle} under a closed parent"


def v28(world: OrderWorld) -> Found:
    """Each sent price is on its grid and inside its collar."""
    for each in world.wire:
        limit = each.order.limit_price
        if limit is None or limit % world.tick:
            yield f"{each.order.id} left at {limit}"


def v32(world: OrderWorld) -> Found:
    """Versions per aggregate 1..n without gaps; the state is what the last one says."""
    stored: dict[str, AnyOrder] = {**world.store.instrument, **world.store.contract, **world.store.broker}
    for key, versions in _versions(world).items():
        if [each.version for each in versions] != list(range(1, len(versions) + 1)) or versions[-1] != stored[key]:
            yield f"{key} has versions {[each.version for each in versions]}"


def v37(world: OrderWorld) -> Found:
    """Foreign fills move contract positions and _EXTERNAL only."""
    for fill in world.store.fills.values():
        if fill.is_foreign is not (fill.strategy == EXTERNAL):
            yield f"{fill.id} of {fill.broker_order} moves {fill.strategy}"


def v40(world: OrderWorld) -> Found:
    """The same decision delivered k times gives one instrument order."""
    for key, times in Counter(each.idempotency_key for each in world.store.instrument.values()).items():
        if times > 1:
            yield f"decision {key} made {times} orders"


def _versions(world: OrderWorld) -> dict[str, list[AnyOrder]]:
    found: dict[str, list[AnyOrder]] = {}
    for each in world.store.log:
        found.setdefault(each.id, []).append(each)
    return found


ALWAYS = (v01, v02, v03, v04, v05, v07, v08, v09, v11, v13, v18, v21, v22, v23, v28, v32, v37, v40)
AT_REST = (v10, v19, v22_at_rest)
