"""Setting the roll state of an instrument by hand, where the tables of states allow it."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from trading.data.mongo.roll_states import StoredRollState
from trading.data.trading_desk.deed import Deed, DeedRefused, Plan, Signed
from trading.data.trading_desk.records import Records
from trading.errors import ConfigError, DataError
from trading.execution.adjustments import AdjustmentKind
from trading.execution.rolls.changes import AdjustmentFacts, ChangedBy, InvalidRollChange, RollChange, check_transition
from trading.execution.rolls.states import RollState
from trading.objects.contracts import Contract

_SETTLED = (AdjustmentKind.EXPIRY, AdjustmentKind.BALANCE)


@dataclass(frozen=True, kw_only=True)
class SetRollState(Deed):
    """`front` is the contract that is priced now, as `tradectl rolls` shows it: what is held in it decides."""

    verb: ClassVar[str] = "set-roll-state"
    instrument: str
    state: str
    front: str

    def plan(self, records: Records, signed: Signed) -> Plan:
        records.instruments.load(self.instrument)
        wanted, old = state_of(self.state), stored_state(records, self.instrument, self._front().key, signed.at)
        change = self._change(records, wanted, old, signed)
        try:
            allowed = check_transition(change)
        except InvalidRollChange as error:
            raise DeedRefused(f"{error}. Nothing was changed.") from error
        if allowed.needs_cancel_first:
            raise DeedRefused(f"{self.instrument} may become {wanted}, but only when its orders have ended: "
                              f"{change.live_orders} may still fill. Cancel them first: tradectl trade cancel-all "
                              f"{self.instrument}; then set it again. Nothing was changed.")
        new = StoredRollState(instrument=self.instrument, state=wanted, reason=signed.why, who=signed.who,
                              at=signed.at, day=records.house.trading_day(signed.at), front=old.front,
                              version=old.version)
        return Plan(before={self.instrument: old.state.value}, after={self.instrument: wanted.value},
                    meaning=wanted.meaning, done=f"{self.instrument} is {wanted}; it was {old.state}.",
                    write=lambda session: records.rolls.put(new, session))

    def _change(self, records: Records, wanted: RollState, old: StoredRollState, signed: Signed) -> RollChange:
        front, live = self._front(), _live_orders(records, self.instrument)
        held = records.contract_positions().get(front.key, 0)
        settled = any(each.kind in _SETTLED and any(entry.contract == front.key for entry in each.entries)
                      for each in records.books.adjustments())
        return RollChange(instrument=self.instrument, old=old.state, new=wanted, front=held, live_orders=len(live),
                          by=ChangedBy.PERSON, reason=signed.why.strip() or "(reason follows)",
                          settlement_booked=settled, adjustment=AdjustmentFacts(
                              live_orders_in_front=sum(contract == front.key for contract in live)))

    def _front(self) -> Contract:
        try:
            front = Contract.parse(self.front)
        except DataError as error:
            raise ConfigError(f"front: {error} Nothing was changed.") from error
        if front.instrument != self.instrument:
            raise ConfigError(f"front is {self.front}, which is no contract of {self.instrument}. Nothing was changed.")
        return front


def state_of(word: str) -> RollState:
    """Raises ConfigError for an unknown word."""
    try:
        return RollState(word.upper().replace("-", "_"))
    except ValueError as error:
        raise ConfigError(f"{word!r} is no roll state (allowed: {', '.join(RollState)}). "
                          f"Nothing was changed.") from error


def stored_state(records: Records, instrument: str, front: str, now: datetime) -> StoredRollState:
    """The state of `instrument`; NO_ROLL since `now` when what is stored, if anything, is about another contract."""
    found = records.rolls.all().get(instrument)
    fresh = StoredRollState(instrument=instrument, state=RollState.NO_ROLL, reason="", who="", day="", at=now,
                            front=front, version=found.version if found else 0)
    return found if found is not None and found.front == front else fresh


def _live_orders(records: Records, instrument: str) -> list[str]:
    """The contract of each order of `instrument` that may still fill."""
    open_legs = [leg.contract for leg in records.orders.open_contract_orders() if leg.instrument == instrument]
    legless = [order for order in records.orders.live_broker_orders()
               if order.instrument == instrument and order.contract not in open_legs]
    return open_legs + [order.contract for order in legless]
