"""A broker order for unit tests, in whatever state the story needs."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from trading.execution.broker_orders import BrokerOrder
from trading.risk.order_kind import OrderKind

NOW = datetime(2026, 3, 2, 20, tzinfo=UTC)


def a_broker_order(**changes: object) -> BrokerOrder:
    """Five lots of SP500 at 100, not yet sent."""
    plain = BrokerOrder(
        id="01J-C1-B1", parent="IO-01J-C1", account="DU1", strategy="s", instrument="SP500",
        contract="SP500/20260600", con_id=42, exchange="CME", kind=OrderKind.STRATEGY, quantity=5, order_type="LMT",
        limit_price=Decimal("100"), time_in_force="DAY", bid=Decimal("99.75"), ask=Decimal("100"),
        trading_day="2026-03-02", created=NOW)
    return replace(plain, **changes)
