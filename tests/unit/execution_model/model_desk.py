"""A state opened for one step: the stored part behind the real ports, to be written by the real functions."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from execution_model_facts import ACCOUNT, CONTRACT, NOW, PERM_ID, PRICE
from memory_orders import MemoryBooks, MemoryLocks, MemoryOrders, MemoryStore, Order, a_decision
from model_state import Locked, News, Stored
from seeded_rules import Rules

from trading.broker.error_codes import shipped_error_policy
from trading.execution.broker_messages import BrokerMessage, MessageKind
from trading.execution.broker_orders import BrokerOrder
from trading.execution.gate import GateFacts, gate_problem
from trading.execution.locks import Lock, reasons_of
from trading.execution.stack_handler.journal_reader import JournalReader
from trading.execution.stack_handler.reports import Today
from trading.risk.kill_level import KillState

_POLICY = shipped_error_policy()
_TODAY = Today(trading_day="2026-03-02", gateway_zone=ZoneInfo("UTC"))
_NORMAL: Final = KillState()
_KNOWN: Final[dict[Stored, Stored]] = {}


class Unversioned(MemoryStore):
    """Versions would make equal states differ; the model itself lets a sender lose against another writer."""

    def put(self, tier: dict[str, Order], order: Order) -> Order:
        tier[order.id] = order
        return order


class Market:
    """One contract."""

    def contract_of(self, con_id: int) -> str:
        return CONTRACT


class Journal:
    """Its mark is the model's."""

    def mark_applied(self, sequence: int) -> None:
        """Reading is one step."""


def opened(stored: Stored) -> MemoryStore:
    """What is stored, to be written to."""
    return Unversioned(
        contract={each.id: each for each in stored.legs}, broker={each.id: each for each in stored.orders},
        instrument={each.parent: a_decision(each.parent, each.quantity, NOW, filled=each.filled)
                    for each in stored.legs},
        fills={each.id: each for each in stored.fills}, locks={lock.id: lock for lock in map(_lock, stored.locks)})


def closed(store: MemoryStore) -> Stored:
    """What is stored now; equal ones are one."""
    new = Stored(tuple(store.contract.values()), tuple(store.broker.values()),
                 tuple(store.fills[key] for key in sorted(store.fills)),
                 tuple(sorted(Locked(each.cause, each.subject) for each in store.locks.values())))
    return _KNOWN.setdefault(new, new)


def _lock(known: Locked) -> Lock:
    return Lock(instrument="SP500", cause=known.cause, subject=known.subject, reason=known.cause, opened_at=NOW)


@cache
def problem_at_the_gate(order: BrokerOrder, stored: Stored) -> str | None:
    """What the real gate says of what is stored."""
    leg = next(each for each in stored.legs if each.id == order.parent)
    return gate_problem(order, GateFacts(
        kill=_NORMAL, is_halted_by_flag=False, unreconciled=None, parent=leg,
        locks=reasons_of(map(_lock, stored.locks)),
        siblings=tuple(each for each in stored.orders if each.parent == leg.id),
        others=tuple(each for each in stored.orders if each.may_be_alive and each.id != order.id),
        position=sum(each.filled for each in stored.legs), now=NOW))


@cache
def heard(stored: Stored, news: News, rules: Rules) -> Stored:
    """What is stored after `news` was read by the real reader."""
    store = opened(stored)
    reader = JournalReader(
        journal=Journal(), orders=MemoryOrders(store),  # type: ignore[arg-type]  # all that reading needs
        books=MemoryBooks(store, rules.merged, rules.booked), market=Market(),  # type: ignore[arg-type]
        locks=MemoryLocks(store), account=ACCOUNT, today=_TODAY, policy=_POLICY)
    kind, facts = _FACTS[news.kind](news)
    reader.apply([BrokerMessage(sequence=1, at=NOW, epoch=str(news.epoch), kind=kind, facts=facts)])
    return closed(store)


def _about(news: News) -> dict[str, Any]:
    return {"reference": news.reference, "ib_order_id": 0, "con_id": 42,
            "perm_id": PERM_ID + 10 * news.ib_order_id + news.epoch}


def _status(news: News) -> tuple[MessageKind, dict[str, Any]]:
    return MessageKind.ORDER_STATUS, {**_about(news), "status": news.word, "filled": float(news.filled)}


def _execution(news: News) -> tuple[MessageKind, dict[str, Any]]:
    return MessageKind.EXECUTION, {
        **_about(news), "execution_id": f"{news.reference}.{news.number}.01", "security": "FUT", "price": str(PRICE),
        "quantity": news.filled, "at": NOW, "account": ACCOUNT}


def _error(news: News) -> tuple[MessageKind, dict[str, Any]]:
    return MessageKind.ERROR, {"request_id": news.ib_order_id, "code": int(news.word), "text": "said"}


_FACTS: dict[str, Callable[[News], tuple[MessageKind, dict[str, Any]]]] = {
    "status": _status, "execution": _execution, "error": _error}


@dataclass(frozen=True)
class Empty:
    """An answer of the broker in which an order was, or was not."""

    found: bool
    next_valid_id: int
    epoch: str
