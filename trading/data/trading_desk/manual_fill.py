"""A fill that a person knows of and our books do not: booked like one that the broker reported, or taken back."""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import ClassVar

from pymongo.client_session import ClientSession
from ulid import ULID

from trading.data.trading_desk.deed import Deed, DeedRefused, Plan, Signed
from trading.data.trading_desk.records import Records, check_tick
from trading.errors import ConfigError
from trading.execution.broker_orders import NEVER_TRADED, BrokerOrder
from trading.execution.fills import MANUAL, Fill, FillStatus, execution_base
from trading.execution.order_ids import story_of


@dataclass(frozen=True, kw_only=True)
class ManualFill(Deed):
    """`lots` (a count, the side is that of the order) of a broker order were filled at `price`."""

    verb: ClassVar[str] = "fill"
    order: str
    lots: int
    price: Decimal

    def plan(self, records: Records, signed: Signed) -> Plan:
        order = records.orders.broker_order(self.order)
        missing = _missing(order)
        self._check(records, order, missing)
        contract, lots = missing.contract, self.lots if missing.lots > 0 else -self.lots
        held = records.contract_positions().get(contract, 0)
        fill = self._fill(records, signed, order, replace(missing, lots=lots))
        filled = order.traded(lots, missing.con_id, is_correction=False).filled

        def write(session: ClientSession) -> None:
            records.books.apply_fill_within(fill, session)

        return Plan(before={contract: held, f"{order.id} filled": order.filled},
                    after={contract: held + lots, f"{order.id} filled": filled},
                    meaning=f"{lots:+d} {contract} at {self.price} are booked for {order.strategy}; nothing is "
                            f"sent to the broker.",
                    done=f"{fill.id}: {lots:+d} {contract} at {self.price}.", story=story_of(order.id),
                    warnings=_warnings(order), write=write)

    def _check(self, records: Records, order: BrokerOrder, missing: "_Missing") -> None:
        if self.lots <= 0:
            raise ConfigError(f"lots is {self.lots}; say how many, from 1: the side is that of the order. "
                              f"Nothing was booked.")
        if self.lots > abs(missing.lots):
            raise DeedRefused(f"{order.id} is for {order.quantity:+d}, {order.filled:+d} are filled: at most "
                              f"{abs(missing.lots)} can still be, not {self.lots}. Nothing was booked.")
        _, details = records.described(missing.contract)
        check_tick(self.price, missing.contract, details)

    def _fill(self, records: Records, signed: Signed, order: BrokerOrder, booked: "_Missing") -> Fill:
        execution_id = f"{MANUAL}{ULID()}"
        base, revision = execution_base(execution_id)
        return Fill(id=f"{order.account}/{base}", execution_id=execution_id, revision=revision,
                    broker_order=order.id, contract=booked.contract, con_id=booked.con_id, quantity=booked.lots,
                    price=self.price, at=signed.at, trading_day=records.house.trading_day(signed.at))


@dataclass(frozen=True, kw_only=True)
class _Missing:
    """What can still be filled by hand; lots are signed."""

    contract: str
    con_id: int
    lots: int


def _missing(order: BrokerOrder) -> _Missing:
    """Of a spread, the month that lags behind the other.

    Raises:
        DeedRefused: no month of a spread lags behind.
    """
    if order.spread is None:
        left = order.residual if order.residual * order.quantity > 0 else 0
        return _Missing(contract=order.contract, con_id=order.con_id, lots=left)
    alone = order.spread.alone
    month = next((each for each in (order.spread.near, order.spread.far) if each.contract not in alone), None)
    if not alone or month is None:
        raise DeedRefused(f"{order.id} is a spread, and no month of it has traded without the other: its fills are "
                          f"those of its months. Nothing was booked.")
    return _Missing(contract=month.contract, con_id=month.con_id, lots=-sum(alone.values()))


@dataclass(frozen=True, kw_only=True)
class TakeBackFill(Deed):
    """A fill that a person booked was none, or the broker has reported it meanwhile."""

    verb: ClassVar[str] = "take-back-fill"
    fill: str

    def plan(self, records: Records, signed: Signed) -> Plan:  # noqa: ARG002 (a deed is always signed)
        fill = records.books.fill(self.fill)
        if not fill.execution_id.startswith(MANUAL):
            raise DeedRefused(f"{fill.id} was reported by the broker; only fills that a person booked are taken back "
                              f"here. Nothing was changed.")
        if fill.status is FillStatus.BUSTED:
            raise DeedRefused(f"{fill.id} was taken back before. Nothing was changed.")
        contract = fill.contract or ""
        held = records.contract_positions().get(contract, 0)
        return Plan(before={contract: held}, after={contract: held - fill.quantity},
                    meaning=f"{fill.quantity:+d} {contract} at {fill.price} no longer count; the fill stays on record.",
                    done=f"{fill.id} is taken back.", story=story_of(fill.broker_order or ""),
                    write=lambda session: records.books.bust_within(fill.id, session))


def _warnings(order: BrokerOrder) -> tuple[str, ...]:
    found = ["If the broker reports this execution later it is booked a second time. Take this one back then: tradectl "
             "trade take-back FILL"]
    if order.lifecycle in NEVER_TRADED:
        found.append(f"{order.id} is {order.lifecycle}: a fill after that locks {order.instrument}.")
    elif not order.may_be_alive:
        found.append(f"{order.id} is {order.lifecycle}: this is a late fill.")
    return tuple(found)
