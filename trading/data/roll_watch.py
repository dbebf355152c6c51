"""Looks at each instrument's roll once a day: reads the facts, lets the rules decide, and keeps state and reason.

A front contract is the one that is priced, or an older one of which lots are still held: once the prices have rolled,
the position must follow.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property
from typing import Final

import pandas as pd

from trading.data.data_blob import DataBlob
from trading.data.mongo.roll_states import StoredRollState
from trading.errors import DataError, NotFound
from trading.execution.rolls.close_out import (
    CloseOutDates,
    ContractDates,
    Settlement,
    Side,
    days_left,
    must_be_out_by,
)
from trading.execution.rolls.decision import RollDecision, RollFacts, decide
from trading.execution.rolls.liquidity import LEAST_LOTS, DayVolume, Liquidity, liquidity
from trading.execution.rolls.next_state import next_state
from trading.execution.rolls.states import URGENCY, RollState
from trading.execution.rolls.strategy_trades import RollLeg, strategy_trade
from trading.log import get_log
from trading.objects.contracts import Contract
from trading.objects.multiple_prices import ContractSet, current_contracts
from trading.objects.open_days import OpenDays
from trading.objects.rolls import RollParameters, required

log = get_log()
CASH_SETTLED: Final = frozenset({"Equity", "FX", "Vol", "STIR", "Sector", "Housing"})  # other classes may be delivered
RECORDED: Final = Liquidity(rho=0.05, forward_volume=1e6, measured_on=date.min)  # rolls by its dates alone
_SESSIONS: Final = 12
_NOTICE_DAYS: Final = 2  # business days before its delivery month begins: the earliest usual first notice


@dataclass(frozen=True, kw_only=True)
class RollingContracts:
    """The two contracts of a roll, and what is held of each."""

    front: Contract
    forward: Contract
    prices_have_rolled: bool
    front_lots: int
    forward_lots: int


@dataclass
class RollWatch:
    """One day's look."""

    data: DataBlob
    trading_day: date
    who: str
    is_recorded: bool = False  # a recorded market counts prints, not lots: its forward contracts count as liquid
    _contracts: dict[str, ContractSet] = field(default_factory=dict)

    @cached_property
    def positions(self) -> dict[str, int]:
        return self.data.db_books.contract_positions()

    @cached_property
    def states(self) -> dict[str, StoredRollState]:
        return self.data.db_roll_states.all()

    def contracts(self, code: str) -> RollingContracts:
        """The contracts of `code` that a roll is about."""
        current = self._current(code)
        priced, forward = Contract(code, current.price), Contract(code, current.forward)
        held = sorted(contract for contract in map(Contract.parse, self._held(code)) if contract.month < priced.month)
        front, other = (held[0], priced) if held else (priced, forward)
        return RollingContracts(front=front, forward=other, prices_have_rolled=bool(held),
                                front_lots=self.positions.get(front.key, 0),
                                forward_lots=self.positions.get(other.key, 0))

    def _current(self, code: str) -> ContractSet:
        """Of the day: what is positioned by them is read once as well."""
        if code not in self._contracts:
            try:
                rows = self.data.db_multiple_prices.load_since(code, self.trading_day.year - 1)
                self._contracts[code] = current_contracts(code, rows)
            except DataError as error:
                self._contracts[code] = self._by_position(code, error)
        return self._contracts[code]

    def _by_position(self, code: str, error: DataError) -> ContractSet:
        """What is held must be left in time whatever became of the prices; without a position nothing must."""
        held = sorted(map(Contract.parse, self._held(code)))
        if not held:
            raise error
        log.warning("prices_not_known", instrument=code, reason=str(error),
                    effect=f"{held[0].key} is held, and is left by its dates")
        return ContractSet.of(held[0].month, required(code, self.data.db_instruments.load(code).rolls))

    def rolls(self, code: str) -> list[RollingContracts]:
        """The same for each older contract of which lots are held, the oldest first; else for the priced one."""
        first = self.contracts(code)
        if not first.prices_have_rolled:
            return [first]
        fronts = sorted(each for each in map(Contract.parse, self._held(code)) if each.month < first.forward.month)
        return [replace(first, front=front, front_lots=self.positions[front.key]) for front in fronts]

    def state(self, code: str) -> RollState:
        """The state that is stored; of an instrument that was never looked at, NO_ROLL."""
        found = self.states.get(code)
        return RollState.NO_ROLL if found is None else found.state

    def lots_by_contract(self, code: str, quantity: int) -> dict[str, int]:
        """Which contracts a strategy's `quantity` goes to, by the roll state; fewer lots, or none, where it only
        lets positions shrink."""
        contracts = self.contracts(code)
        keys = {RollLeg.FRONT: contracts.front.key, RollLeg.FORWARD: contracts.forward.key}
        legs = strategy_trade(self.state(code), contracts.front_lots, contracts.forward_lots, quantity)
        return {keys[leg.contract]: leg.quantity for leg in legs}

    def look(self, code: str) -> RollDecision:
        """Decide about `code`, and store what follows.

        Raises:
            DataError: its contracts or its dates are not known; its state stays as it was.
            NotFound: there is no such instrument.
        """
        contracts = self.contracts(code)
        decision = decide(self.facts(code, contracts))
        old = self._known(code, contracts)
        wanted = _followed(decision.state) if contracts.prices_have_rolled else decision.state
        new, sessions = old.state, self._sessions_since(old)
        while (then := next_state(new, wanted, contracts.front_lots, sessions)) is not new:
            new, sessions = then, 0
        reason = decision.reason
        if new is not decision.state and old.state is RollState.FORCE_SPREAD and new is RollState.FORCE_OUTRIGHT:
            reason = f"the spread has not moved all of it since {old.day}, so each month is traded by itself"
        elif new is not decision.state:  # a more urgent state stays, with its reason, until its contract is left
            reason = f"{reason}; the prices have rolled already" if contracts.prices_have_rolled else old.reason
        if (new, reason) != (old.state, old.reason):
            self.states[code] = self.data.db_roll_states.put(replace(
                old, state=new, reason=reason, who=self.who, at=self.data.clock.now(),
                day=self.trading_day.isoformat(), front=contracts.front.key, row=decision.row))
            log.info("roll_state", instrument=code, state=new.value, reason=reason)
        return decision

    def _sessions_since(self, stored: StoredRollState) -> int:
        """Sessions that have ended in the stored state."""
        return OpenDays().between(date.fromisoformat(stored.day), self.trading_day)

    def facts(self, code: str, contracts: RollingContracts) -> RollFacts:
        """Everything that a decision depends on."""
        record = self.data.db_instruments.load(code)
        rolls, dates = required(code, record.rolls), self.dates(contracts.front, record.rolls)
        kind = Settlement.CASH if record.instrument.asset_class in CASH_SETTLED else Settlement.PHYSICAL
        out_by = must_be_out_by(Side.of(contracts.front_lots), CloseOutDates(own=dates), kind, OpenDays())
        return RollFacts(
            instrument=code, today=self.trading_day, front=contracts.front_lots, forward=contracts.forward_lots,
            last_trade=dates.last_trade, days_left=days_left(self.trading_day, out_by, OpenDays()),
            desired=rolls.desired_roll_date(contracts.front.month), liquidity=self.liquidity(contracts),
            spread_market=False)

    def dates(self, contract: Contract, rolls: RollParameters | None) -> ContractDates:
        """By the broker's description, or approximately by the roll parameters; the first notice is a careful guess."""
        first_of_month = date(contract.month.year, contract.month.month, 1)
        notice = OpenDays().before(first_of_month, _NOTICE_DAYS)
        try:
            words = self.data.db_contracts.load(contract).last_trade_date
            last = date.fromisoformat(words)
        except (NotFound, ValueError):
            last = required(contract.instrument, rolls).expiry(contract.month)
        return ContractDates(last_trade=last, first_notice=notice)

    def liquidity(self, contracts: RollingContracts) -> Liquidity | None:
        """From the stored volumes of both contracts; None when they are not recorded.

        A ratio of a few lots says nothing, least of all where a record counts prints instead of lots.
        """
        if self.is_recorded:
            return replace(RECORDED, measured_on=self.trading_day)
        days = [self.trading_day - timedelta(days=back) for back in range(2 * _SESSIONS, 0, -1)]
        sessions = [day for day in days if OpenDays().is_open(day)]
        front, forward = self._volumes(contracts.front), self._volumes(contracts.forward)
        both = {day: DayVolume(front=front[day], forward=forward[day]) for day in sessions
                if day in front and day in forward}
        found = liquidity(both, sessions)
        return found if found is not None and found.forward_volume >= LEAST_LOTS else None

    def _volumes(self, contract: Contract) -> dict[date, int]:
        bars = self.data.db_contract_prices.load(contract)
        recent = bars["VOLUME"].tail(40 * _SESSIONS).dropna()
        daily = recent.resample("D").sum()
        return {stamp.date(): int(volume) for stamp, volume in zip(pd.DatetimeIndex(daily.index), daily, strict=True)
                if volume > 0}

    def _held(self, code: str) -> list[str]:
        return [key for key, lots in self.positions.items() if lots and Contract.parse(key).instrument == code]

    def _known(self, code: str, contracts: RollingContracts) -> StoredRollState:
        """The stored state, begun anew when it was about a contract that is left and gone."""
        found = self.states.get(code)
        fresh = StoredRollState(instrument=code, state=RollState.NO_ROLL, reason="", who=self.who,
                                at=self.data.clock.now(), day=self.trading_day.isoformat(), front=contracts.front.key)
        if found is None:
            return fresh
        return found if found.front == contracts.front.key else replace(fresh, version=found.version)


def _followed(decided: RollState) -> RollState:
    """At least FORCE_OUTRIGHT: the prices are those of the next contract already."""
    return max(decided, RollState.FORCE_OUTRIGHT, key=URGENCY.index) if decided in URGENCY else decided


def look_at_all(watch: RollWatch, codes: list[str]) -> Mapping[str, RollDecision]:
    """Every instrument, one after the other; one that cannot be decided stops nobody."""
    found = {}
    for code in codes:
        try:
            found[code] = watch.look(code)
        except (DataError, NotFound) as error:
            log.error("roll_not_decided", instrument=code, reason=str(error), effect="its state stays as it was")
    return found
