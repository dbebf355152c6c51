"""Leaving everything: level K4 and one closing order for each position. In two steps: look, then confirm with a code.

The level is stored first, in a transaction of its own: whatever goes wrong with an order, nothing else is traded.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from typing import ClassVar, Final

from pymongo.client_session import ClientSession

from trading.clock import to_milliseconds
from trading.data.trading_desk.deed import Deed, DeedRefused, Plan, Signed
from trading.data.trading_desk.kill import command_of, facts_of
from trading.data.trading_desk.records import Records
from trading.errors import ConfigError
from trading.execution.order_states import ExecutionStyle
from trading.execution.orders import InstrumentOrder, new_instrument_order_id
from trading.risk.kill_level import KillLevel, consequences, raised
from trading.risk.order_kind import OrderKind

CODE_MINUTES: Final = 10
_CODE_MS: Final = CODE_MINUTES * 60_000


@dataclass(frozen=True, kw_only=True)
class LatchFlatten(Deed):
    """The level alone; the code shows that somebody has looked."""

    verb: ClassVar[str] = "flatten-level"
    code: str = ""

    def plan(self, records: Records, signed: Signed) -> Plan:
        state = records.kills.load()
        _refuse_severed(state.level)
        if self.code.upper() not in _codes(state.version, signed.at):
            raise ConfigError(f"{self.code or 'No code'} is not the code of now. Look first: tradectl flatten; then "
                              f"confirm within {CODE_MINUTES} minutes with the code that it shows. Nothing was "
                              f"changed.")
        newer = raised(state, KillLevel.K4_FLATTEN, command_of(signed))
        return Plan(before=facts_of(state), after=facts_of(newer), meaning=consequences(KillLevel.K4_FLATTEN),
                    done=f"The system is at {newer.level.name}.",
                    write=lambda session: records.kills.save(newer, session) if newer != state else None)


@dataclass(frozen=True, kw_only=True)
class Flatten(Deed):
    """Close everything. `risks` is the risk of one lot by instrument, in any one unit; unknown ones go first."""

    verb: ClassVar[str] = "flatten"
    code: str = ""
    risks: dict[str, float] = field(default_factory=dict)

    def first(self) -> Deed:
        return LatchFlatten(code=self.code)

    def plan(self, records: Records, signed: Signed) -> Plan:
        state = records.kills.load()
        _refuse_severed(state.level)
        held, orders = records.strategy_positions(), self._orders(records, signed)
        names = {order.id: f"{order.instrument} of {order.strategy}" for order in orders}
        return Plan(before={f"{code} of {name}": lots for (name, code), lots in held.items()},
                    after={names[order.id]: 0 for order in orders}, meaning=self._meaning(orders),
                    done=_done(orders), warnings=_warnings(records, orders), code=_codes(state.version, signed.at)[0],
                    write=lambda session: _write(records, orders, session))

    def _orders(self, records: Records, signed: Signed) -> list[InstrumentOrder]:
        """Closing orders for what no FLATTEN order is closing yet, the largest risk first."""
        closing = _closing(records.orders.open_instrument_orders())
        left = {key: lots + closing.get(key, 0) for key, lots in records.strategy_positions().items()}
        found = {key: lots for key, lots in left.items() if lots}
        by_risk = sorted(found, key=lambda key: (-self._risk(key[1], found[key]), key))
        ids = sorted(new_instrument_order_id() for _ in by_risk)  # orders are worked in the order of their ids
        only = _only_contracts(records.contract_positions())
        return [replace(_order(records, signed, key, found[key]), id=order_id, limit_contract=only.get(key[1]))
                for order_id, key in zip(ids, by_risk, strict=True)]

    def _risk(self, instrument: str, lots: int) -> float:
        """What nobody knows is not small."""
        return abs(lots) * self.risks[instrument] if instrument in self.risks else float("inf")

    def _meaning(self, orders: list[InstrumentOrder]) -> str:
        return f"{consequences(KillLevel.K4_FLATTEN)} {_count(orders)} made."


def _count(orders: list[InstrumentOrder]) -> str:
    return "1 closing order is" if len(orders) == 1 else f"{len(orders)} closing orders are"


def _done(orders: list[InstrumentOrder]) -> str:
    if not orders:
        return "The system is at K4_FLATTEN. Nothing is held that is not being closed already."
    told = ", ".join(f"{order.quantity:+d} {order.instrument}" for order in orders)
    return f"The system is at K4_FLATTEN. {_count(orders)} made: {told}. Watch them: tradectl orders"


def _warnings(records: Records, orders: list[InstrumentOrder]) -> tuple[str, ...]:
    locked = records.locks.reasons()
    return tuple(f"{code} is locked, and nothing is sent for it until the lock is opened: {locked[code]}"
                 for code in sorted({order.instrument for order in orders} & locked.keys()))


def _write(records: Records, orders: list[InstrumentOrder], session: ClientSession) -> None:
    for order in orders:
        records.orders.write("instrument_orders", order, session)


def _order(records: Records, signed: Signed, key: tuple[str, str], held: int) -> InstrumentOrder:
    strategy, instrument = key
    return InstrumentOrder(
        id=new_instrument_order_id(), idempotency_key=f"flatten/{strategy}/{instrument}/{signed.id}",
        account=records.house.account, strategy=strategy, instrument=instrument, kind=OrderKind.FLATTEN,
        quantity=-held, target=0, held=held, trading_day=records.house.trading_day(signed.at), created=signed.at,
        style=ExecutionStyle.MARKETABLE, reduce_only=True, created_by=signed.who, reason=signed.why)


def _closing(orders: Iterable[InstrumentOrder]) -> Mapping[tuple[str, str], int]:
    """Lots, signed, that FLATTEN orders are to trade still."""
    found: dict[tuple[str, str], int] = {}
    for order in orders:
        if order.kind is OrderKind.FLATTEN:
            key = (order.strategy, order.instrument)
            found[key] = found.get(key, 0) + order.residual
    return found


def _only_contracts(contracts: Iterable[str]) -> dict[str, str]:
    """Instruments that are held in one contract alone: that one is closed, whichever is priced."""
    held: dict[str, list[str]] = {}
    for key in contracts:
        held.setdefault(key.rpartition("/")[0], []).append(key)
    return {code: keys[0] for code, keys in held.items() if len(keys) == 1}


def _codes(version: int, at: datetime) -> tuple[str, str]:
    """The code of now, and the one before, which is still good. A changed kill state makes both worthless."""
    now = to_milliseconds(at) // _CODE_MS
    new, old = (sha256(f"flatten/{version}/{each}".encode()).hexdigest()[:6].upper() for each in (now, now - 1))
    return new, old


def _refuse_severed(level: KillLevel) -> None:
    if level is KillLevel.K5_SEVER:
        raise DeedRefused("The system is severed from the broker (K5_SEVER); nothing can be closed from here. Close at "
                          "the broker, or restart by hand. Nothing was changed.")
