"""Execute: open instrument orders become broker orders, fills become positions, and both sides are compared.

Reads: orders, broker messages, quotes. Writes: orders, fills, positions, locks.
If it fails or is killed: nothing is lost and nothing is sent twice; run it again at any time.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from pymongo.errors import PyMongoError

from processes.job import JobContext
from trading.broker.error_codes import shipped_error_policy
from trading.broker.facts import ContractDetails
from trading.config import Config
from trading.data.risk.decision_facts import decision_facts
from trading.data.risk.intent_controls import IntentControls
from trading.data.risk.intent_facts import IntentFacts
from trading.data.risk.judging import judged
from trading.data.risk.settings import for_account
from trading.data.roll_watch import RollWatch
from trading.errors import BrokerUnavailable, JobIncomplete, PositionsDiffer, StopRequested
from trading.execution.locks import LockCause
from trading.execution.order_states import ExecutionStyle
from trading.execution.quotes import Touch
from trading.execution.reconciliation.positions import break_lock, explained_locks, position_breaks
from trading.execution.stack_handler.algo_worker import AlgoWorker, Manners
from trading.execution.stack_handler.journal_reader import JournalReader
from trading.execution.stack_handler.reports import Today
from trading.execution.stack_handler.resolver import Resolver
from trading.execution.stack_handler.stack_handler import StackHandler
from trading.log import get_log
from trading.objects.contracts import Contract

log = get_log()
CALLS_A_PERSON: Final = frozenset(LockCause) - {LockCause.UNKNOWN_ORDER, LockCause.OPERATOR}


def run(job: JobContext) -> None:
    """Trade what is open, then compare with the broker."""
    market = BrokerMarket(job, job.data.db_contracts.by_con_id())
    handler = stack_handler(job, market)
    closed = handler.run(job.checkpoint)
    log.info("stack_handled", closed=closed, waiting=len(handler.worker.waits))
    compare_with_broker(job, market)
    if handler.sick:
        raise JobIncomplete(f"Orders that could not be worked: "
                            f"{'; '.join(f'{order} ({why})' for order, why in handler.sick.items())}. "
                            f"See: tradectl story ORDER")


def stack_handler(job: JobContext, market: "BrokerMarket") -> StackHandler:
    """The handler over this job's stores, controls and broker."""
    said, watch = job.config.service.orders, RollWatch(job.data, job.trading_day, who=job.run_id)
    decision = decision_facts(job.data, job.config, job.trading_day)
    settings = for_account(decision.settings, decision.risks)
    facts = IntentFacts(decision=decision, settings=settings, details=market.tradable, trading_day=job.trading_day,
                        approved_months=lambda code: approved_months(watch, code))
    controls = IntentControls(data=job.data, facts=facts, settings=settings)
    worker = AlgoWorker(orders=job.data.db_orders, market=market, sender=job.data.broker, locks=job.data.db_locks,
                        controls=controls, clock=job.clock, manners=Manners(
                            usual_style=usual_style(job.config), patience=timedelta(seconds=said.time_out_s)))
    return StackHandler(
        orders=job.data.db_orders, sender=job.data.broker, locks=job.data.db_locks, reader=journal_reader(job, market),
        resolver=Resolver(job.data.broker), worker=worker, clock=job.clock, lots_by_contract=watch.lots_by_contract,
        judge=lambda order: judged(order, None, decision, settings, decision.settled_with(order)),
        acknowledge_within=timedelta(seconds=said.acknowledge_within_s),
        fatal=(BrokerUnavailable, StopRequested, PyMongoError))


def usual_style(config: Config) -> ExecutionStyle:
    """As configured; a recorded day has no time for patience."""
    said = config.service.orders.style
    if said is not None:
        return ExecutionStyle(said.name)
    return ExecutionStyle.MARKETABLE if config.service.mode == "simulated" else ExecutionStyle.BEST


def approved_months(watch: RollWatch, code: str) -> frozenset[str]:
    """The priced contract and the next one; in an older one positions may only shrink."""
    contracts = watch.contracts(code)
    if contracts.prices_have_rolled:
        return frozenset({contracts.forward.key})
    return frozenset({contracts.front.key, contracts.forward.key})


def journal_reader(job: JobContext, market: "BrokerMarket") -> JournalReader:
    """Reads what the broker said into the books of the day."""
    today = Today(trading_day=job.day, gateway_zone=job.config.service.gateway_zone)
    return JournalReader(job.data.db_journal, job.data.db_orders, job.data.db_books, market, job.data.db_locks,
                         job.config.service.broker.account, today, shipped_error_policy())


def compare_with_broker(job: JobContext, market: "BrokerMarket") -> None:
    """Lock every instrument in which the two sides disagree; unlock those whose cause is known by now."""
    theirs = positions_at_broker(job, market)
    ours = job.data.db_books.contract_positions()
    breaks = position_breaks(ours, theirs)
    for found in breaks:
        job.data.db_locks.lock(break_lock(found, job.clock.now()))
    open_explained(job, ours, theirs)
    called_for = [lock.reason for lock in job.data.db_locks.all() if lock.cause in CALLS_A_PERSON]
    if called_for:
        raise PositionsDiffer(f"Positions differ, or somebody else trades; these instruments are locked: "
                              f"{'; '.join(called_for)}. See: tradectl locks")


def positions_at_broker(job: JobContext, market: "BrokerMarket") -> dict[str, int]:
    """What the broker says we hold, by our own key where we know the contract."""
    theirs: dict[str, int] = {}
    for row in job.data.broker.positions():
        key = market.contract_of(row.con_id) or f"unknown {row.symbol}/{row.con_id}"
        theirs[key] = theirs.get(key, 0) + row.quantity
    return theirs


def open_explained(job: JobContext, ours: dict[str, int], theirs: dict[str, int]) -> None:
    """Open what executions have explained."""
    locks, strategies = job.data.db_locks.all(), job.data.db_books.strategy_positions()
    for found in explained_locks(locks, ours, theirs, strategies):
        log.info("unlocked", instrument=found.lock.instrument, why=found.how)
        job.data.db_locks.unlock(found.lock.id, found.how, job.clock.now())


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
