"""Everything that can happen next: to the sender, the handler, the wire, the broker. One durable write a step at most.

Bounds: two broker orders a contract order, one cancel of ours at a time, and so many faults in all. A fault is a lost
connection, a death, a message that is lost or comes twice, a cancel nobody asked for, a fill behind a cancel, an error
nobody knows. Steps of ours that only need time (asking, cancelling) can happen at any moment: nobody's patience counts.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from execution_model_facts import NOW, PRICE
from model_desk import Empty, closed, heard, opened, problem_at_the_gate
from model_state import AtBroker, Locked, News, Place, Sending, State
from seeded_rules import Rules

from trading.execution.broker_orders import BrokerLifecycle, BrokerOrder
from trading.execution.locks import LockCause
from trading.execution.orders import ContractOrder
from trading.execution.stack_handler.resolver import (
    PASSES_NEEDED,
    PROVES_WITHIN,
    Pass,
    Verdict,
    needs_resolving,
    verdict,
)

_B = BrokerLifecycle
_AT_ONCE = timedelta(0)
Step = tuple[str, State]

QUESTIONS = 2  # the last one stands for all further answers of its connection


def steps(state: State, rules: Rules) -> Iterator[Step]:
    """Each thing that can happen, in words, and the state after it."""
    yield from _intents(state, rules)
    yield from _sends(state, rules)
    yield from _questions(state, rules)
    yield from _cancels(state)
    yield from _reading(state, rules)
    yield from _arrivals(state)
    yield from _broker(state)
    yield from _link(state, rules)


def _stored(state: State, *orders: BrokerOrder, **changes: Any) -> State:
    store = opened(state.stored)
    for each in orders:
        store.broker[each.id] = each
    return replace(state, stored=closed(store), **changes)


# --- the handler --------------------------------------------------------------------------------------------------

def _intents(state: State, rules: Rules) -> Iterator[Step]:
    for leg in state.legs:
        children = [each for each in state.orders if each.parent == leg.id]
        lots = leg.available(sum(each.committed for each in children))
        if not lots or state.locks or any(each.may_be_alive for each in children) or leg.next_child > rules.attempts:
            continue
        store = opened(state.stored)
        store.contract[leg.id] = replace(leg, next_child=leg.next_child + 1)
        order = _intent(leg, lots, rules)
        store.broker[order.id] = order
        yield f"{order.id} for {lots:+d} is stored as an intent", replace(state, stored=closed(store))


def _intent(leg: ContractOrder, lots: int, rules: Rules) -> BrokerOrder:
    return rules.order(
        id=rules.id_of(leg), parent=leg.id, account=leg.account, strategy=leg.strategy, instrument=leg.instrument,
        contract=leg.contract, con_id=42, exchange="CME", kind=leg.kind, quantity=lots, order_type="LMT",
        limit_price=PRICE, time_in_force="DAY", bid=PRICE, ask=PRICE, trading_day=leg.trading_day, created=NOW,
        tick=Decimal(1))


def _questions(state: State, rules: Rules) -> Iterator[Step]:
    """What is sent on one connection arrives in order: an answer knows every order that was sent before it."""
    if not state.is_linked or any(each.epoch == state.epoch for each in state.wire):
        return
    asked = dict(state.passes)
    for order in state.orders:
        is_silent = needs_resolving(order, NOW, _AT_ONCE) or order.lifecycle is _B.PENDING_CANCEL
        empty = asked.get(order.id, 0)
        is_being_sent = state.sending is not None and state.sending.order.id == order.id
        if not is_silent or empty >= QUESTIONS or (is_being_sent and rules.waits_for_the_sender):
            continue
        late = [each for each in state.wire if each.reference == order.id]
        if late and rules.late_bytes_end_in_time and empty == QUESTIONS - 1:
            continue
        yield f"the broker is asked about {order.id}", _answered(state, order, empty)


def _answered(state: State, order: BrokerOrder, empty: int) -> State:
    found = any(each.reference == order.id and each.word != "Rejected" for each in state.broker)
    told = replace(state, news=state.news | _day(state))
    if found:
        return told
    answers = [Pass(at=NOW + number * PROVES_WITHIN, evidence=Empty(False, state.offered, str(state.epoch)))
               for number in range(PASSES_NEEDED if empty + 1 >= QUESTIONS else 1)]
    counted = replace(told, passes=tuple(sorted({**dict(state.passes), order.id: empty + 1}.items())))
    if order.lifecycle is _B.PENDING_CANCEL:
        return _stored(counted, order.advanced(_B.UNKNOWN)) if empty + 1 >= QUESTIONS else counted
    if verdict(order, answers) is Verdict.NOT_RECEIVED:
        return counted if order.filled or order.perm_id else _stored(counted, order.advanced(_B.NOT_SENT))
    return _stored(counted, order.advanced(_B.UNKNOWN))


def _cancels(state: State) -> Iterator[Step]:
    for order in state.orders:
        if order.lifecycle is _B.UNKNOWN and not any(each.subject == order.id for each in state.locks):
            yield f"SP500 is locked, for nobody knows the fate of {order.id}", _locked(
                state, (*state.locks, Locked(LockCause.UNKNOWN_ORDER, order.id)))
        if order.lifecycle in (_B.ACKED, _B.WORKING) and state.is_linked:
            yield f"{order.id} has had its time, its cancel leaves", _stored(
                state, order.moved(_B.PENDING_CANCEL), cancels=state.cancels | {order.id})
    for lock in state.locks:
        about = [each for each in state.orders if each.id == lock.subject]
        if lock.cause is LockCause.UNKNOWN_ORDER and about[0].lifecycle is not _B.UNKNOWN:
            yield f"the lock for {lock.subject} opens", _locked(
                state, tuple(each for each in state.locks if each is not lock))


def _locked(state: State, locks: tuple[Locked, ...]) -> State:
    return replace(state, stored=replace(state.stored, locks=tuple(sorted(locks))))


def _reading(state: State, rules: Rules) -> Iterator[Step]:
    for news in state.news:
        text = f"{news.kind} {news.word} {news.filled or ''} of {news.reference or news.ib_order_id}"
        after = replace(state, stored=heard(state.stored, news, rules))
        yield f"{text} is read", replace(after, news=state.news - {news})
        if state.faults:
            yield f"{text} is read and comes once more", replace(after, faults=state.faults - 1)
            if news.kind != "execution":
                yield f"{text} is lost", replace(state, news=state.news - {news}, faults=state.faults - 1)


# --- the sender ---------------------------------------------------------------------------------------------------

def _sends(state: State, rules: Rules) -> Iterator[Step]:
    if state.sending is not None:
        yield from _goes_on(state, state.sending, rules)
        return
    for order in state.orders if state.is_linked else ():
        if order.lifecycle is not _B.INTENT:
            continue
        problem = problem_at_the_gate(order, state.stored)
        if problem is not None:
            yield f"the gate refuses {order.id}", _stored(state, order.moved(_B.NOT_SENT, "the gate"))
            continue
        claimed = replace(order.moved(_B.SENDING), epoch=str(state.epoch), ib_order_id=state.next_id, sent=NOW)
        sending = Sending(claimed, is_recorded=rules.records_first, is_placed=False)
        written = (claimed,) if rules.records_first else ()
        yield f"{order.id} is claimed with id {state.next_id}", _stored(
            state, *written, sending=sending, next_id=state.next_id + 1)


def _goes_on(state: State, sending: Sending, rules: Rules) -> Iterator[Step]:
    order = sending.order
    if not sending.is_placed:
        assert order.ib_order_id is not None
        place = Place(order.id, order.ib_order_id, order.quantity, state.epoch)
        yield f"{order.id} leaves", replace(
            state, wire=(*state.wire, place), placed=(*state.placed, place[:2]),
            sending=sending._replace(is_placed=True))
    elif not sending.is_recorded:
        yield f"{order.id} is recorded", _stored(state, order, sending=sending._replace(is_recorded=True))
    elif order in state.orders:
        yield f"{order.id} is marked as sent", _stored(state, order.moved(_B.SENT), sending=None)
    else:
        yield f"the mark of {order.id} comes too late", replace(state, sending=None)


# --- the broker ---------------------------------------------------------------------------------------------------

def _arrivals(state: State) -> Iterator[Step]:
    for place in state.wire:
        left = replace(state, wire=tuple(each for each in state.wire if each is not place))
        known = AtBroker(place.reference, place.ib_order_id, place.epoch, place.quantity)
        yield f"the broker accepts {place.reference}", _told(left, known)
        yield f"the broker rejects {place.reference}", replace(
            left, broker=_with(state, known._replace(word="Rejected")),
            news=left.news | {News("error", "", place.ib_order_id, place.epoch, word="201")})
        if place.epoch != state.epoch or not state.is_linked:
            yield f"{place.reference} is lost on its way", left
    for reference in state.cancels:
        left = replace(state, cancels=state.cancels - {reference})
        live = next((each for each in state.broker if each.reference == reference and each.is_live), None)
        yield f"the cancel of {reference} arrives", (
            left if live is None else _told(left, live._replace(word="Cancelled")))


def _broker(state: State) -> Iterator[Step]:
    for known in state.broker:
        if known.is_live:
            yield f"a lot of {known.reference} is filled", _filled(state, known)
        if state.faults:
            fault = replace(state, faults=state.faults - 1)
            if known.is_live:
                yield f"the broker cancels {known.reference} by itself", _told(fault, known._replace(word="Cancelled"))
                unknown = News("error", "", known.ib_order_id, known.epoch, word="9999")
                yield f"an error nobody knows about {known.reference}", replace(fault, news=fault.news | {unknown})
            if known.word == "Cancelled" and known.filled != known.quantity:
                yield f"a lot of {known.reference} is filled behind its cancel", _filled(fault, known)


def _with(state: State, known: AtBroker) -> tuple[AtBroker, ...]:
    others = [each for each in state.broker if each[:3] != known[:3]]
    return tuple(sorted([*others, known]))


def _told(state: State, known: AtBroker) -> State:
    return replace(state, broker=_with(state, known), news=state.news | {_status_of(known)})


def _status_of(known: AtBroker) -> News:
    return News("status", known.reference, known.ib_order_id, known.epoch, word=known.word, filled=abs(known.filled))


def _filled(state: State, known: AtBroker) -> State:
    sign = 1 if known.quantity > 0 else -1
    more = known._replace(filled=known.filled + sign)
    if more.filled == more.quantity:
        more = more._replace(word="Filled")
    return replace(state, broker=_with(state, more), news=state.news | {_execution_of(more, abs(more.filled))})


def _execution_of(known: AtBroker, number: int) -> News:
    sign = 1 if known.quantity > 0 else -1
    return News("execution", known.reference, known.ib_order_id, known.epoch, filled=sign, number=number)


def _day(state: State) -> frozenset[News]:
    """All that the broker repeats when it is asked: orders, open and completed, and executions."""
    said = {_status_of(each) for each in state.broker if each.word in ("Submitted", "Cancelled")}
    return frozenset(said | {_execution_of(each, number) for each in state.broker
                             for number in range(1, abs(each.filled) + 1)})


# --- the connection -----------------------------------------------------------------------------------------------

def _link(state: State, rules: Rules) -> Iterator[Step]:
    if not state.is_linked:
        highest = max((each.ib_order_id or 0 for each in state.orders), default=0)
        for offered in {1, state.next_id}:
            floor = highest if rules.keeps_id_floor else 0
            yield f"connected again, the broker offers id {offered}", replace(
                state, is_linked=True, epoch=state.epoch + 1, offered=offered, passes=(),
                next_id=max(offered, floor + 1), news=state.news | _day(state))
        return
    if not state.faults:
        return
    lost = replace(state, faults=state.faults - 1, is_linked=False, cancels=frozenset(), sending=None)
    unread = replace(lost, news=frozenset(each for each in state.news if each.kind == "execution"))
    yield "the daemon dies", lost
    if state.sending is not None and state.sending.is_recorded:
        yield "the connection breaks in the middle of a send", _stored(
            unread, rules.after_exception(next(each for each in state.orders if each.id == state.sending.order.id)))
    elif state.sending is None:
        yield "the connection breaks, what was said is lost", unread
    if state.passes:
        yield "the worker dies", replace(state, faults=state.faults - 1, passes=())
