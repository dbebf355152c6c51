"""The life of an order in time order: every change of it, its children and fills, and what the broker said."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from trading.data.mongo.events import Event
from trading.data.trading_desk.deed_log import DEED_PREFIX
from trading.execution.broker_messages import BrokerMessage, MessageKind
from trading.risk.check import Outcome

_SILENT: Final = frozenset({"v", "version", "revisions", "checks", "algo", "next_child"})  # told by what they lead to
_ALWAYS: Final = ("lifecycle", "quantity", "contract", "limit_price")


@dataclass(frozen=True, kw_only=True)
class Line:
    """One thing that happened."""

    at: datetime
    what: str  # the id of what it happened to
    text: str
    who: str


def story(events: Iterable[Event], messages: Iterable[BrokerMessage]) -> list[Line]:
    """Everything in time order; what the broker said stands before what we made of it."""
    return sorted([*_said(messages), *_changes(events)], key=lambda line: line.at)


def _changes(events: Iterable[Event]) -> Iterable[Line]:
    known: dict[str, Mapping[str, Any]] = {}
    for event in events:
        before = known.get(event.aggregate)
        what = event.kind if event.aggregate.startswith(DEED_PREFIX) else event.aggregate
        text = _created(event) if before is None else _changed(event, before)
        yield Line(at=event.at, what=what, who=event.actor, text=text + _judged(event.payload, before or {}))
        known[event.aggregate] = event.payload


def _created(event: Event) -> str:
    if event.aggregate.startswith(DEED_PREFIX):
        return f"{event.payload['done']} Because: {event.payload['why']}"
    told = [f"{name} {_plain(event.payload[name])}" for name in _ALWAYS if event.payload.get(name) is not None]
    return f"{event.kind}: {', '.join(told)}"


def _changed(event: Event, before: Mapping[str, Any]) -> str:
    return f"{event.kind}: {', '.join(_differences(event.payload, before)) or 'written again'}"


def _differences(payload: Mapping[str, Any], before: Mapping[str, Any]) -> Iterable[str]:
    """Field by field, also within a part of an order."""
    for name, value in payload.items():
        old = before.get(name)
        if name in _SILENT or old == value:
            continue
        if isinstance(value, Mapping) and isinstance(old, Mapping):
            yield from _differences(value, old)
        else:
            yield f"{name} {_plain(old)} -> {_plain(value)}"


def _judged(payload: Mapping[str, Any], before: Mapping[str, Any]) -> str:
    """What the controls have said since `before`; of those that let it pass, only how many there were."""
    known = before.get("checks", [])
    checks = [check for check in payload.get("checks", []) if check not in known]
    told = [f"{check['control']} {check['outcome']}: {check['sentence']}" for check in checks
            if check["outcome"] != Outcome.PASS]
    count = len(checks) - len(told)
    passed = [f"{count} control{'s' if count > 1 else ''} passed"] if count else []
    return "".join(f"; {words}" for words in (*passed, *told))


def _said(messages: Iterable[BrokerMessage]) -> Iterable[Line]:
    for message in messages:
        yield Line(at=message.at, what=str(message.facts.get("reference") or "broker"), who="broker",
                   text=f"said {_words(message)}")


def _words(message: BrokerMessage) -> str:
    facts = message.facts
    if message.kind is MessageKind.ERROR:
        return f"code {facts['code']}: {facts['text']}"
    if message.kind is MessageKind.EXECUTION:
        return f"execution {facts['execution_id']}: {facts['quantity']:+d} at {facts['price']}"
    if message.kind is MessageKind.COMMISSION:
        return f"commission of {facts['execution_id']}: {facts['amount'] or 'not known'} {facts['currency']}"
    filled = "" if facts.get("filled") is None else f", {facts['filled']:g} filled"
    return f"{message.kind.value.replace('_', ' ')} {facts.get('status')}{filled}"


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, list):
        return ", ".join(map(_plain, value)) or "none"
    return "none" if value is None or value == "" else str(value)
