"""An order that a person asks for. It passes the same controls as any other when it is worked; what is certain to be
refused there is refused here."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from trading.data.trading_desk.deed import Deed, DeedRefused, Plan, Signed
from trading.data.trading_desk.records import Records, check_tick
from trading.errors import ConfigError
from trading.execution.order_ids import new_instrument_order_id
from trading.execution.order_states import ExecutionStyle, Lifecycle
from trading.execution.orders import InstrumentOrder
from trading.risk.exposure import Effect, Holding, effect, reducing_part
from trading.risk.kill_level import Scope
from trading.risk.kill_permission import permitted_by_level, permitted_in_scope
from trading.risk.limits import LimitKind, limit_of
from trading.risk.order_kind import OrderKind
from trading.risk.overrides import OverrideKind


@dataclass(frozen=True, kw_only=True)
class ManualTrade(Deed):
    """`lots` signed, + buys. Without `contract` the roll state says which is traded when the order is worked."""

    verb: ClassVar[str] = "trade"
    instrument: str
    lots: int
    strategy: str
    contract: str | None = None
    limit: Decimal | None = None
    style: str | None = None  # of ExecutionStyle; LIMIT with a limit, else BEST
    reduce_only: bool = False

    def plan(self, records: Records, signed: Signed) -> Plan:
        self._check_words(records)
        ours = records.holding(self.strategy, self.instrument)
        account = records.holding(None, self.instrument)
        self._check_state(records, ours, account)
        order = self._order(records, signed, ours)
        sign, after = f"{self.lots:+d} {self.instrument}", ours.position + self.lots
        return Plan(
            before=_facts(self.strategy, ours.position, account.position),
            after=_facts(self.strategy, after, account.position + self.lots),
            meaning=f"{sign} for {self.strategy}, {order.style}{self._price_words()}: it "
                    f"{_words(effect(self.lots, ours))} of {self.strategy} and "
                    f"{_words(effect(self.lots, account))} of the account.",
            done=f"{order.id}: {sign} for {self.strategy}. Follow it: tradectl story {order.id}",
            warnings=self._warnings(records, ours, account), story=order.id,
            write=lambda session: records.orders.write("instrument_orders", order, session))

    def _price_words(self) -> str:
        where = f" in {self.contract}" if self.contract else ""
        return f"{where} at {self.limit} or better" if self.limit is not None else where

    def _check_words(self, records: Records) -> None:
        records.instruments.load(self.instrument)
        records.check_taker(self.strategy)
        if self.lots == 0:
            raise ConfigError("lots is 0; an order of no lots is none. Nothing was made.")
        style = self._style()
        if (style is ExecutionStyle.LIMIT) is not (self.limit is not None):
            raise ConfigError("A limit price and the style LIMIT belong together. Nothing was made.")
        if self.limit is not None and self.contract is None:
            raise ConfigError("A price belongs to a contract: add --contract INSTRUMENT/YYYYMM00. Nothing was made.")
        if self.contract is not None:
            self._check_contract(records, self.contract)

    def _check_contract(self, records: Records, key: str) -> None:
        contract, details = records.described(key)
        if contract.instrument != self.instrument:
            raise ConfigError(f"{key} is no contract of {self.instrument}. Nothing was made.")
        if contract.key != key:
            raise ConfigError(f"{key} is written {contract.key}. Nothing was made.")
        if self.limit is not None:
            check_tick(self.limit, key, details)

    def _style(self) -> ExecutionStyle:
        if self.style is None:
            return ExecutionStyle.BEST if self.limit is None else ExecutionStyle.LIMIT
        try:
            return ExecutionStyle(self.style.upper().replace("-", "_"))
        except ValueError as error:
            raise ConfigError(f"There is no style {self.style} (allowed: {', '.join(ExecutionStyle)}). "
                              f"Nothing was made.") from error

    def _check_state(self, records: Records, ours: Holding, account: Holding) -> None:
        """Refuse what would only wait, and then be sent when nobody thinks of it any more."""
        locked = records.locks.reasons().get(self.instrument)
        if locked is not None:
            raise DeedRefused(f"{self.instrument} is locked: {locked}. Open it: tradectl locks open {self.instrument}. "
                              f"Nothing was made.")
        if self.reduce_only and reducing_part(self.lots, ours) != self.lots:
            left = ours.closable()
            raise DeedRefused(f"{self.lots:+d} would not only reduce: {self.strategy} holds {ours.position:+d} "
                              f"{self.instrument}, of which {abs(left)} may still be closed ({left:+d}). "
                              f"Nothing was made.")
        kills, scope = records.kills.load(), Scope(strategy=self.strategy, instrument=self.instrument)
        refusal = (permitted_by_level(kills, effect(self.lots, account), OrderKind.MANUAL)
                   or permitted_in_scope(kills, effect(self.lots, ours), scope))
        if refusal is not None:
            raise DeedRefused(f"{refusal.sentence} Nothing was made.")
        self._check_override(records, effect(self.lots, ours))

    def _check_override(self, records: Records, does: Effect) -> None:
        override = records.overrides.of(self.strategy, self.instrument)
        forbids_all = override.kind is OverrideKind.NO_TRADE
        if forbids_all or (override.kind >= OverrideKind.NO_OPEN and does is Effect.ADDS_RISK):
            raise DeedRefused(f"An override of {self.instrument} of {self.strategy} is at {override.words}: "
                              f"{override.meaning}. See: tradectl overrides. Nothing was made.")

    def _warnings(self, records: Records, ours: Holding, account: Holding) -> tuple[str, ...]:
        found = []
        if ours.working_buys or ours.working_sells:
            found.append(f"Orders of {self.strategy} in {self.instrument} are open: {ours.working_buys} lots to buy, "
                         f"{ours.working_sells} to sell.")
        limits, adds = records.limits.all(), effect(self.lots, account) is Effect.ADDS_RISK
        for kind, size in ((LimitKind.POSITION, abs(account.position + self.lots)), (LimitKind.ORDER, abs(self.lots))):
            limit = limit_of(limits, kind, self.instrument)
            if limit is not None and size > limit and adds:
                found.append(f"The {kind} limit of {self.instrument} is {limit}, this makes {size}: the order is cut, "
                             f"or worked in parts.")
        return tuple(found)

    def _order(self, records: Records, signed: Signed, ours: Holding) -> InstrumentOrder:
        return InstrumentOrder(
            id=new_instrument_order_id(), idempotency_key=f"manual/{signed.id}", account=records.house.account,
            strategy=self.strategy, instrument=self.instrument, kind=OrderKind.MANUAL, quantity=self.lots,
            trading_day=records.house.trading_day(signed.at), created=signed.at, held=ours.position,
            style=self._style(), limit_price=self.limit, contract=self.contract,
            limit_contract=self.contract if self.limit is not None else None, reduce_only=self.reduce_only,
            created_by=signed.who, reason=signed.why, lifecycle=Lifecycle.CREATED)  # until the controls have judged it


def _facts(strategy: str, ours: int, account: int) -> dict[str, int]:
    return {f"position of {strategy}": ours, "position of the account": account}


def _words(does: Effect) -> str:
    return "adds to the risk" if does is Effect.ADDS_RISK else "reduces the risk"
