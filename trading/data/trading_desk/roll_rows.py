"""Roll states beside the contracts and what is held in them, for people to read."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trading.data.data_blob import DataBlob
from trading.data.mongo.connection import MongoStore
from trading.data.mongo.roll_states import StoredRollState
from trading.data.trading_desk.stored_facts import rolling_contracts
from trading.errors import NotFound
from trading.execution.rolls.states import RollState, following
from trading.objects.contracts import Contract


@dataclass(kw_only=True)
class RollRow:
    """One instrument. Contracts and lots are None when no prices say which they are."""

    instrument: str
    state: str
    front: str | None
    front_lots: int | None
    last_trade: str | None
    forward: str | None
    forward_lots: int | None
    since: str | None
    by: str
    reason: str


def roll_rows(store: MongoStore) -> list[RollRow]:
    """Every instrument with prices or a stored state."""
    data = _data(store)
    states, held = data.db_roll_states.all(), data.db_books.contract_positions()
    return [_row(data, code, states.get(code), held) for code in sorted({*data.db_multiple_prices.codes(), *states})]


def roll_of(store: MongoStore, instrument: str) -> dict[str, Any]:
    """All that is known of one instrument.

    Raises:
        NotFound: there is none of that name, or no prices say which its contracts are.
    """
    data = _data(store)
    data.db_instruments.load(instrument)
    contracts = rolling_contracts(data, instrument)
    front, forward, held = contracts.front, contracts.forward, data.db_books.contract_positions()
    row = _row(data, instrument, data.db_roll_states.all().get(instrument), held)
    state = RollState(row.state)
    next_ones = sorted(following(state, held.get(front.key, 0)))
    return vars(row) | {"meaning": state.meaning, "contracts": _contracts(data, front, forward, held), "following": [
        {"state": each.value, "meaning": each.meaning} for each in next_ones]}


def roll_changes(store: MongoStore, instrument: str) -> list[dict[str, Any]]:
    """Every change of its state, oldest first."""
    data = _data(store)
    data.db_instruments.load(instrument)
    return [{"at": event.at.strftime("%Y-%m-%d %H:%M:%S"), "state": event.payload["state"],
             "front": event.payload["front"], "row": event.payload["row"] or None, "by": event.payload["who"],
             "reason": event.payload["reason"]}
            for event in data.db_events.of(f"roll_states {instrument}")]


def _data(store: MongoStore) -> DataBlob:
    return DataBlob(store=store, clock=store.clock, socket=Path())  # the broker is not asked


def _row(data: DataBlob, code: str, stored: StoredRollState | None, held: dict[str, int]) -> RollRow:
    try:
        contracts = rolling_contracts(data, code)
        keys: tuple[str | None, str | None] = contracts.front.key, contracts.forward.key
    except NotFound:
        keys = None, None
    if stored is not None and keys[0] not in (None, stored.front):
        stored = None  # it was about a contract that is left and gone
    lots = [None if key is None else held.get(key, 0) for key in keys]
    return RollRow(instrument=code, state=(stored.state if stored else RollState.NO_ROLL).value, front=keys[0],
                   front_lots=lots[0], last_trade=None if keys[0] is None else _last_trade(data, keys[0]),
                   forward=keys[1], forward_lots=lots[1],
                   since=stored.at.strftime("%Y-%m-%d %H:%M:%S") if stored else None,
                   by=stored.who if stored else "", reason=stored.reason if stored else "")


def _last_trade(data: DataBlob, key: str) -> str | None:
    """The day as the broker says it; None while it has not described the contract."""
    try:
        day = data.db_contracts.load(Contract.parse(key)).last_trade_date
    except NotFound:
        return None
    return f"{day[:4]}-{day[4:6]}-{day[6:8]}" if len(day) >= len("20260619") else day or None


def _contracts(data: DataBlob, front: Contract, forward: Contract, held: dict[str, int]) -> list[dict[str, Any]]:
    """Front, forward, and whatever else is held."""
    roles = {front.key: "front", forward.key: "forward"}
    others = sorted(key for key in held if key.rpartition("/")[0] == front.instrument and key not in roles)
    return [{"contract": key, "role": roles.get(key, "held besides"), "lots": held.get(key, 0),
             "last_trade": _last_trade(data, key)} for key in (*roles, *others)]
