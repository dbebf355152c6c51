"""Our side and the broker's, in agreement until a story says otherwise."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from trading.execution.adjustments import Movement, Positions, fold
from trading.execution.broker_orders import BrokerLifecycle, BrokerOrder
from trading.execution.fills import EXTERNAL, Fill
from trading.execution.reconciliation.breaks import Break
from trading.execution.reconciliation.broker_view import BrokerView, Part, SeenOrder
from trading.execution.reconciliation.find_breaks import find_breaks
from trading.execution.reconciliation.our_view import OurView
from trading.execution.reconciliation.sightings import sighted
from trading.risk.order_kind import OrderKind

NOW = datetime(2026, 3, 2, 20, tzinfo=UTC)
TODAY = date(2026, 3, 2)
JUNE = "SP500/20260600"
ASKED = frozenset({Part.POSITIONS, Part.OPEN_ORDERS, Part.COMPLETED_ORDERS, Part.EXECUTIONS})
REFERENCE = "01KJQME8000000000000000000-C1-B1"  # made at 2026-03-02 16:00 UTC


def positions(contracts: dict[str, int] | None = None, **strategies: int) -> Positions:
    """Lots by contract, and of SP500 by strategy (`external` is nobody's); s holds all of it if none is named."""
    held = contracts or {}
    movements = [Movement(contract=key, strategy="s", instrument=key.rpartition("/")[0], lots=lots)
                 for key, lots in held.items()]
    named = {(EXTERNAL if who == "external" else who, "SP500"): lots for who, lots in strategies.items() if lots}
    return replace(fold(movements), strategies=named) if strategies else fold(movements)


def ours(held: Positions | None = None, **changes: Any) -> OurView:
    return replace(OurView(at=NOW, today=TODAY, positions=held or positions()), **changes)


def theirs(held: dict[str, int] | None = None, **changes: Any) -> BrokerView:
    """All that was asked for was answered to its end."""
    return replace(BrokerView(epoch="e", at=NOW, answered=ASKED, positions=held or {}), **changes)


def failing(view: BrokerView, *parts: Part) -> BrokerView:
    """The same, but nothing came about `parts`."""
    return replace(view, answered=view.answered - {*parts}, failures=dict.fromkeys(parts, "no answer in 10 s"))


def second_look(ours: OurView, theirs: BrokerView, seconds: float = 15) -> tuple[OurView, BrokerView]:
    """Both sides after another look so many seconds later."""
    later = ours.at + timedelta(seconds=seconds)
    return replace(ours, at=later, sightings=sighted(ours, theirs)), replace(theirs, at=later)


def settled(ours: OurView, theirs: BrokerView) -> list[Break]:
    """The breaks that two looks, far enough apart, agree on."""
    return find_breaks(*second_look(ours, theirs))


def told(breaks: list[Break]) -> list[tuple[str, str]]:
    return [(found.id.value, found.subject) for found in breaks]


def an_order(lifecycle: BrokerLifecycle = BrokerLifecycle.WORKING, **changes: Any) -> BrokerOrder:
    """Five lots of June at 100, known to the broker as 70."""
    plain = BrokerOrder(
        id=REFERENCE, parent=REFERENCE.removesuffix("-B1"), account="DU1", strategy="s", instrument="SP500",
        contract=JUNE, con_id=42, exchange="CME", kind=OrderKind.STRATEGY, quantity=5, order_type="LMT",
        limit_price=Decimal(100), time_in_force="DAY", bid=Decimal("99.75"), ask=Decimal(100),
        trading_day="2026-03-02", created=NOW, sent=NOW, perm_id=70, lifecycle=lifecycle)
    return replace(plain, **changes)


def listed(reference: str = REFERENCE, **changes: Any) -> SeenOrder:
    """That order, as the broker lists it."""
    plain = SeenOrder(reference=reference, perm_id=70, contract=JUNE, status="Submitted", lots=5, limit=Decimal(100),
                      side=1, con_id=42, ib_order_id=9, order_type="LMT", time_in_force="DAY", exchange="CME")
    return replace(plain, **changes)


def a_fill(base: str = "e1", quantity: int = 2, **changes: Any) -> Fill:
    """A fill of June an hour ago, of nobody's order."""
    plain = Fill(id=f"DU1/{base}", execution_id=f"{base}.01", revision=1, broker_order=None, contract=JUNE, con_id=42,
                 quantity=quantity, price=Decimal(100), at=NOW - timedelta(hours=1), trading_day="2026-03-02",
                 instrument="SP500", commission=Decimal(2), commission_currency="USD")
    return replace(plain, **changes)
