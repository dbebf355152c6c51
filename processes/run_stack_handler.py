"""Execute: open instrument orders become broker orders, fills become positions, and both sides are compared.

Reads: orders, broker messages, quotes. Writes: orders, fills, positions, locks.
If it fails or is killed: nothing is lost and nothing is sent twice; run it again at any time.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from processes.job import JobContext
from trading.broker.error_codes import shipped_error_policy
from trading.broker.facts import ContractDetails
from trading.errors import PositionsDiffer
from trading.execution.algos.limit_at_touch import Touch
from trading.execution.reconcile import POSITION_BREAK, PositionBreak, position_breaks
from trading.execution.stack_handler.journal_reader import JournalReader
from trading.execution.stack_handler.reports import Today
from trading.execution.stack_handler.resolver import Resolver
from trading.execution.stack_handler.stack_handler import Patience, StackHandler
from trading.execution.twins import twin_in
from trading.log import get_log
from trading.objects.contracts import Contract
from trading.objects.multiple_prices import current_contracts

log = get_log()


def run(job: JobContext) -> None:
    """Trade what is open, then compare with the broker."""
    market = BrokerMarket(job, job.data.db_contracts.by_con_id())
    reader = journal_reader(job, market)
    settings = job.config.service.orders
    handler = StackHandler(
        orders=job.data.db_orders, market=market, sender=job.data.broker, locks=job.data.db_locks, reader=reader,
        resolver=Resolver(job.data.broker), clock=job.clock, priced_contract=market.priced_contract,
        patience=Patience(time_out=timedelta(seconds=settings.time_out_s),
                          acknowledge_within=timedelta(seconds=settings.acknowledge_within_s)))
    closed = handler.run(job.checkpoint)
    log.info("stack_handled", closed=closed)
    compare_with_broker(job, market)


def journal_reader(job: JobContext, market: "BrokerMarket") -> JournalReader:
    """Reads what the broker said into the books of the day."""
    today = Today(trading_day=job.day, gateway_zone=job.config.service.gateway_zone)
    return JournalReader(job.data.db_journal, job.data.db_orders, job.data.db_books, market, job.data.db_locks,
                         job.config.service.broker.account, today, shipped_error_policy())


def compare_with_broker(job: JobContext, market: "BrokerMarket") -> None:
    """Lock every instrument in which the two sides disagree; unlock those that agree again."""
    theirs: dict[str, int] = {}
    for row in job.data.broker.positions():
        key = market.contract_of(row.con_id) or f"unknown {row.symbol}/{row.con_id}"
        theirs[key] = theirs.get(key, 0) + row.quantity
    breaks = position_breaks(job.data.db_books.contract_positions(), theirs)
    for found in breaks:
        job.data.db_locks.lock(found.instrument, f"{POSITION_BREAK}: {found}", job.clock.now())
    broken = {found.instrument for found in breaks}
    for instrument, reason in job.data.db_locks.reasons().items():
        if reason.startswith(POSITION_BREAK) and instrument not in broken:
            job.data.db_locks.unlock(instrument)
    twins = [reason for reason in job.data.db_locks.reasons().values() if twin_in(reason)]
    if breaks or twins:
        raise PositionsDiffer(" ".join(disagreements(breaks, twins)))


def disagreements(breaks: list[PositionBreak], twins: list[str]) -> Iterator[str]:
    """What a person must look into, in sentences."""
    if breaks:
        yield "Positions differ, these instruments are locked: " + "; ".join(map(str, breaks)) + "."
    if twins:
        yield ("Orders live twice at the broker, their instruments are locked: " + "; ".join(twins)
               + ". Cancel the second one by hand.")


@dataclass
class BrokerMarket:
    """Contracts and quotes, asked through the broker link."""

    job: JobContext
    con_ids: dict[int, Contract]
    _details: dict[str, ContractDetails] = field(default_factory=dict)

    def tradable(self, contract: str) -> ContractDetails:
        if contract not in self._details:
            self._details[contract] = self.job.data.db_contracts.load(Contract.parse(contract))
        return self._details[contract]

    def touch(self, contract: str) -> Touch | None:
        quote = self.job.data.broker.quote(self.tradable(contract))
        if quote.bid is None or quote.ask is None:
            return None
        return Touch(bid=quote.bid, ask=quote.ask, at=quote.at)

    def contract_of(self, con_id: int) -> str | None:
        found = self.con_ids.get(con_id)
        return found.key if found is not None else None

    def priced_contract(self, instrument: str) -> str:
        rows = self.job.data.db_multiple_prices.load_since(instrument, self.job.trading_day.year - 1)
        return Contract(instrument, current_contracts(instrument, rows).price).key
