"""What must hold in every state, and after every step (orders_and_risk.md 7.1), against what the broker really did."""

from collections import Counter
from collections.abc import Iterator

from model_state import State

from trading.execution.broker_orders import MOVES, BrokerLifecycle
from trading.execution.order_states import Flag

_B = BrokerLifecycle


def problem_of(state: State) -> str | None:
    """The first promise that `state` breaks."""
    return next((found for promise in (_v01, _v02, _v03, _v04, _v11, _at_rest) for found in promise(state)), None)


def problem_between(before: State, after: State) -> str | None:
    """The first promise that the step from `before` to `after` breaks."""
    return next((found for promise in (_v05, _v22) for found in promise(before, after)), None)


def _v01(state: State) -> Iterator[str]:
    """Filled and committed lots stay within the order, unless the broker broke its word: then flagged and locked."""
    for leg in state.legs:
        committed = sum(each.committed for each in state.orders if each.parent == leg.id)
        if abs(leg.filled) > abs(leg.quantity) and not (Flag.OVERFILL in leg.flags and state.locks):
            yield f"V1: {leg.id} is for {leg.quantity:+d}, has filled {leg.filled:+d} and nobody is told"
        if abs(leg.filled + committed) > abs(leg.quantity) and not leg.flags & {Flag.OVERFILL, Flag.LATE_FILL}:
            yield f"V1: {leg.id} is for {leg.quantity:+d}, has filled {leg.filled:+d} and committed {committed:+d}"


def _v02(state: State) -> Iterator[str]:
    """At most one new-order message for each broker order."""
    for reference, times in Counter(reference for reference, _ in state.placed).items():
        if times > 1:
            yield f"V2: {reference} was sent {times} times"


def _v03(state: State) -> Iterator[str]:
    """An order id of the broker is never used twice."""
    for number, times in Counter(number for _, number in state.placed).items():
        if times > 1:
            yield f"V3: id {number} was used for {times} orders"


def _v04(state: State) -> Iterator[str]:
    """A replacement exists only when every earlier order is truly dead, not only in our eyes."""
    live = {each.reference for each in state.broker if each.is_live} | {each.reference for each in state.wire}
    if state.sending is not None and not state.sending.is_placed:
        live.add(state.sending.order.id)
    for leg in state.legs:
        children = [each.id for each in state.orders if each.parent == leg.id]
        for earlier in children[:-1]:
            if earlier in live:
                yield f"V4: {children[-1]} exists and {earlier} may still trade"


def _v11(state: State) -> Iterator[str]:
    """Each execution counts once: what is booked is never more than what was traded."""
    traded = Counter[str]()
    for each in state.broker:
        traded[each.reference] += each.filled
    for order in state.orders:
        if abs(order.filled) > abs(traded[order.id]):
            yield f"V11: {order.filled:+d} of {order.id} are booked, {traded[order.id]:+d} were traded"


def _v05(before: State, after: State) -> Iterator[str]:
    """Only moves of the table."""
    if before.stored is after.stored:
        return
    old = {each.id: each.lifecycle for each in before.orders}
    for order in after.orders:
        was = old.get(order.id, order.lifecycle)
        if order.lifecycle is not was and order.lifecycle not in MOVES[was]:
            yield f"V5: {order.id} went from {was} to {order.lifecycle}"


def _v22(before: State, after: State) -> Iterator[str]:
    """Nothing is claimed on a contract while the fate of an order there is unknown."""
    if after.sending is None or before.sending is not None:
        return
    for order in before.orders:
        if order.lifecycle is _B.UNKNOWN and order.id != after.sending.order.id:
            yield f"V22: {after.sending.order.id} is sent while nobody knows the fate of {order.id}"


def _at_rest(state: State) -> Iterator[str]:
    """V6, V10: once all was said and read, our books are the broker's, whatever the order of the messages was."""
    if state.news or state.wire or state.cancels or state.sending is not None or not state.is_linked:
        return
    for known in state.broker:
        order = next(each for each in state.orders if each.id == known.reference)
        if order.filled != known.filled:
            yield f"V10: {order.filled:+d} of {order.id} are booked, {known.filled:+d} were traded"
        if known.word == "Filled" and order.lifecycle is not _B.FILLED:
            yield f"V6: {order.id} is filled at the broker and {order.lifecycle} here"
        if known.is_live and not order.may_be_alive:
            yield f"V6: {order.id} works at the broker and is {order.lifecycle} here"
