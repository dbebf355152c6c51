"""Leaving everything: level K4 and one closing order for each position. In two steps: look, then confirm with a code.

The level is stored first, in a transaction of its own: whatever goes wrong with an order, nothing else is traded.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from typing import ClassVar, Final

from pymongo.client_session import ClientSession

from trading.clock import to_milliseconds
from trading.data.trading_desk.closing_lots import closing_lots
from trading.data.trading_desk.deed import Deed, DeedRefused, Plan, Signed
from trading.data.trading_desk.kill import command_of, facts_of
from trading.data.trading_desk.records import Records
from trading.errors import ConfigError
from trading.execution.adjustments import Adjustment, AdjustmentKind, Entry
from trading.execution.order_ids import new_instrument_order_id
from trading.execution.order_states import ExecutionStyle
from trading.execution.orders import InstrumentOrder
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
        held = records.strategy_positions()
        orders, settlements = self._decided(records, signed, _open_closing(records))

        def write(session: ClientSession) -> None:
            for settlement in settlements:
                records.books.adjust_within(settlement, session)
            for order in orders:
                records.orders.write("instrument_orders", order, session)

        return Plan(before={f"{code} of {name}": lots for (name, code), lots in held.items()},
                    after={f"{order.instrument} of {order.strategy}": 0 for order in orders}
                    | {f"{code} of {name}": 0 for name, code in held},
                    meaning=f"{consequences(KillLevel.K4_FLATTEN)} {_count(orders)} made.", done=_done(orders),
                    warnings=_warnings(records, orders, settlements), code=_codes(state.version, signed.at)[0],
                    write=write)

    def _decided(self, records: Records, signed: Signed,
                 working: list[InstrumentOrder]) -> tuple[list[InstrumentOrder], list[Adjustment]]:
        """Closing orders for what no order is closing yet, the largest risk first; and what strategies settle."""
        found: dict[tuple[str, str, str | None], int] = {}
        settlements = []
        for code in sorted({instrument for _, instrument in records.strategy_positions()}):
            closing = closing_lots(*_left(records, code, working))
            found |= {(strategy, code, contract): lots for (strategy, contract), lots in closing.lots.items()}
            if closing.settled:
                settlements.append(_settlement(signed, code, closing.settled))
        by_risk = sorted(found, key=lambda key: (-self._risk(key[1], found[key]), key[:2], key[2] or ""))
        ids = sorted(new_instrument_order_id() for _ in by_risk)  # orders are worked in the order of their ids
        return [replace(_order(records, signed, key, found[key]), id=order_id)
                for order_id, key in zip(ids, by_risk, strict=True)], settlements

    def _risk(self, instrument: str, lots: int) -> float:
        """What nobody knows is not small."""
        return abs(lots) * self.risks[instrument] if instrument in self.risks else float("inf")


def _count(orders: list[InstrumentOrder]) -> str:
    return "1 closing order is" if len(orders) == 1 else f"{len(orders)} closing orders are"


def _done(orders: list[InstrumentOrder]) -> str:
    if not orders:
        return "The system is at K4_FLATTEN. Nothing is held that is not being closed already."
    told = ", ".join(f"{order.quantity:+d} {order.instrument}" for order in orders)
    return f"The system is at K4_FLATTEN. {_count(orders)} made: {told}. Watch them: tradectl orders"


def _warnings(records: Records, orders: list[InstrumentOrder], settlements: list[Adjustment]) -> tuple[str, ...]:
    locked = records.locks.reasons()
    waits = [f"{code} is locked, and nothing is sent for it until the lock is opened: {locked[code]}"
             for code in sorted({order.instrument for order in orders} & locked.keys())]
    settled = [f"{', '.join(f'{entry.strategy} {entry.lots:+d}' for entry in each.entries)} "
               f"{each.entries[0].instrument}: opposite sides settle between themselves, without a trade."
               for each in settlements]
    return (*waits, *settled)


def _open_closing(records: Records) -> list[InstrumentOrder]:
    return [order for order in records.orders.open_instrument_orders() if order.kind is OrderKind.FLATTEN]


def _left(records: Records, code: str, working: list[InstrumentOrder]) -> tuple[dict[str, int], dict[str, int]]:
    """What strategies and contracts of an instrument still hold when the orders that close it already are filled."""
    strategies = {name: lots for (name, each), lots in records.strategy_positions().items() if each == code}
    contracts = {key: lots for key, lots in records.contract_positions().items() if key.rpartition("/")[0] == code}
    for order in working:
        if order.instrument == code:
            strategies[order.strategy] = strategies.get(order.strategy, 0) + order.residual
            if order.contract is not None:
                contracts[order.contract] = contracts.get(order.contract, 0) + order.residual
    return ({name: lots for name, lots in strategies.items() if lots},
            {key: lots for key, lots in contracts.items() if lots})


def _order(records: Records, signed: Signed, key: tuple[str, str, str | None], lots: int) -> InstrumentOrder:
    strategy, instrument, contract = key
    return InstrumentOrder(
        id=new_instrument_order_id(), idempotency_key=f"flatten/{strategy}/{contract or instrument}/{signed.id}",
        account=records.house.account, strategy=strategy, instrument=instrument, kind=OrderKind.FLATTEN,
        quantity=-lots, target=0, held=lots, trading_day=records.house.trading_day(signed.at), created=signed.at,
        contract=contract, style=ExecutionStyle.MARKETABLE, reduce_only=True, created_by=signed.who,
        reason=signed.why)


def _settlement(signed: Signed, code: str, settled: Mapping[str, int]) -> Adjustment:
    """Opposite sides of an instrument, taken from one strategy and given to the other."""
    entries = tuple(Entry(strategy=name, instrument=code, contract=None, con_id=0, lots=lots)
                    for name, lots in sorted(settled.items()))
    return Adjustment(id=f"A-{signed.id}-{code}", kind=AdjustmentKind.TRANSFER, entries=entries, who=signed.who,
                      at=signed.at, reason=signed.why.strip() or "(reason follows)")


def _codes(version: int, at: datetime) -> tuple[str, str]:
    """The code of now, and the one before, which is still good. A changed kill state makes both worthless."""
    now = to_milliseconds(at) // _CODE_MS
    new, old = (sha256(f"flatten/{version}/{each}".encode()).hexdigest()[:6].upper() for each in (now, now - 1))
    return new, old


def _refuse_severed(level: KillLevel) -> None:
    if level is KillLevel.K5_SEVER:
        raise DeedRefused("The system is severed from the broker (K5_SEVER); nothing can be closed from here. Close at "
                          "the broker, or restart by hand. Nothing was changed.")
