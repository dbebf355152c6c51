"""Our side of a comparison with the broker, read from the store; see trading.execution.reconciliation."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Final

from trading.clock import from_milliseconds
from trading.data.data_blob import DataBlob
from trading.data.mongo.leases import MongoLeases
from trading.execution.fills import Fill
from trading.execution.locks import Lock, LockCause
from trading.execution.reconciliation.openings import held_then
from trading.execution.reconciliation.our_view import ContractFacts, Leading, OurView

LOOKS_BACK: Final = timedelta(days=8)  # executions are listed for seven days at most (ib_wire.md 4.1)


def our_view(data: DataBlob, today: date, facts: Mapping[str, ContractFacts] | None = None,
             fence: int | None = None) -> OurView:
    """All of our side as it is now.

    Args:
        today: the trading day.
        facts: what is known of contracts beyond what the broker has described: days to be left, settlement prices.
        fence: the token under which we act; None: under none.
    """
    now = data.clock.now()
    fills, locks = data.db_books.fills_since(now - LOOKS_BACK), tuple(data.db_locks.all())
    newest = data.db_reconciliation_runs.recent(1)
    return OurView(
        at=now, today=today, positions=data.db_books.positions(), live=tuple(data.db_orders.live_broker_orders()),
        ended=tuple(data.db_orders.ended_broker_orders((today - LOOKS_BACK).isoformat())), fills=tuple(fills),
        newest_fill=_newest(fills), locks=locks, contracts={**contract_facts(data), **(facts or {})},
        sightings=newest[0].seen_before() if newest else {}, held_then=_held_then(data, locks),
        external=_external(data), leading=_leading(data, fence))


def contract_facts(data: DataBlob) -> dict[str, ContractFacts]:
    """What the broker has described, by our key."""
    return {key: ContractFacts(con_id=details.con_id, last_trade=_day(details.last_trade_date))
            for key, details in data.db_contracts.all().items()}


def _leading(data: DataBlob, fence: int | None) -> Leading | None:
    """The term under which we act; None when nobody leads, or when nobody has said since when."""
    lease = MongoLeases(data.store).read()
    if fence is None or lease is None or not lease.taken_ms:
        return None
    return Leading(token=fence, token_in_store=lease.token, since=from_milliseconds(lease.taken_ms))


def _day(text: str) -> date | None:
    """YYYYMMDD; None for anything else: some contracts name a month only."""
    return datetime.strptime(text, "%Y%m%d").date() if len(text) == 8 and text.isdecimal() else None  # noqa: DTZ007


def _newest(fills: Iterable[Fill]) -> dict[str, datetime]:
    return {fill.contract: fill.at for fill in fills if fill.contract is not None}  # they come oldest first


def _external(data: DataBlob) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for each in data.db_books.external():
        found.setdefault(each.instrument, {})[each.contract or each.instrument] = each.lots
    return found


def _held_then(data: DataBlob, locks: Iterable[Lock]) -> dict[str, int]:
    """For each position break: what we know by now to have held when it was noticed."""
    breaks = [lock for lock in locks if lock.cause is LockCause.POSITION_BREAK]
    adjustments = data.db_books.adjustments() if breaks else []
    return {lock.id: held_then(lock.subject, lock.opened_at, data.db_books.fills_in(lock.subject), adjustments)
            for lock in breaks}
