"""Execute: open instrument orders become broker orders, fills become positions, and both sides are compared.

As a service it waits for the next order, fill, lock or kill level, and works again within a second of it.

Reads: orders, broker messages, quotes. Writes: orders, fills, positions, locks.
If it fails or is killed: nothing is lost and nothing is sent twice; run it again at any time.
"""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Final

from pymongo.errors import PyMongoError

from processes.job import JobContext
from trading.broker.error_codes import shipped_error_policy
from trading.broker.facts import ContractDetails, SpreadContract
from trading.config import Config, Mode
from trading.data.reconciler import Reconciler, has_failed
from trading.data.risk.decision_facts import decision_facts
from trading.data.risk.forbidden_orders import ForbiddenOrders
from trading.data.risk.intent_controls import IntentControls
from trading.data.risk.intent_facts import IntentFacts
from trading.data.risk.judging import judged_alone
from trading.data.risk.margin_desk import MarginDesk, NobodyAsks
from trading.data.risk.seen_once import SeenOnce
from trading.data.risk.settings import for_account
from trading.data.roll_watch import RollWatch
from trading.errors import BrokerUnavailable, JobIncomplete, PositionsDiffer, StopRequested
from trading.execution.locks import CALLS_A_PERSON
from trading.execution.order_states import ExecutionStyle
from trading.execution.quotes import Touch
from trading.execution.reconciliation.our_view import BreakSettings
from trading.execution.reconciliation.run import ReconciliationRun
from trading.execution.rolls.pace import MOST_AT_ONCE
from trading.execution.spreads import Month, Spread, is_spread, months_of
from trading.execution.stack_handler.algo_worker import AlgoWorker, Manners
from trading.execution.stack_handler.journal_reader import JournalReader
from trading.execution.stack_handler.reports import Today
from trading.execution.stack_handler.resolver import Resolver
from trading.execution.stack_handler.sight import Sight
from trading.execution.stack_handler.stack_handler import StackHandler
from trading.log import get_log
from trading.objects.contracts import Contract
from trading.risk.settings import RiskSettings

log = get_log()
LISTEN_S: Final = 1.0  # at most until the next look
LOOK_AGAIN_S: Final = 60.0  # at an order that could not be traded
COMPARE_AGAIN_S: Final = 300.0  # the broker repeats its day each time, and all of it is journaled


def run(job: JobContext) -> None:
    """Trade what is open; as a service again and again, as soon as there is something to do.

    Raises:
        JobIncomplete: the service lost its broker; the next one begins when the link is there again.
    """
    try:
        before = sight_of(job)
        work(job)
        while job.serves():
            wait_for_work(job, before)
            before = sight_of(job)
            work(job)
    except BrokerUnavailable as error:
        if not job.serves():
            raise
        raise JobIncomplete(f"The broker link is away, so nothing is traded until it is back: {error}") from error


def sight_of(job: JobContext) -> Sight:
    """What is open now."""
    orders = job.data.db_orders
    return Sight(wanted=tuple(orders.open_instrument_orders()), living=tuple(orders.live_broker_orders()),
                 locks=tuple(job.data.db_locks.all()), kill=job.data.db_kill_state.load(),
                 overrides=tuple(job.data.db_overrides.all()),
                 asked=job.data.db_reconciliation_runs.asked())


def wait_for_work(job: JobContext, before: Sight) -> None:
    """Return when something else is open than now, or came while it worked, which began at `before`; in any case when
    it is time to compare with the broker, or to look again at what waits."""
    reader = journal_reader(job, BrokerMarket(job, job.data.db_contracts.by_con_id()))
    applied, seen = reader.apply_new(), sight_of(job)
    until_s = job.clock.monotonic_s() + (LOOK_AGAIN_S if seen.has_open else COMPARE_AGAIN_S)
    now = seen
    while now == seen and not now.has_more_than(before) and job.serves() and job.clock.monotonic_s() < until_s:
        job.checkpoint()
        if messages := job.data.broker.messages(applied, LISTEN_S):
            applied = reader.apply(messages)
        now = sight_of(job)


def go_on(job: JobContext, *, as_service: bool) -> None:
    """Between two passes.

    Raises:
        StopRequested: this run was asked to stop.
        JobIncomplete: the service is to be another one; what is open it finds as we leave it.
    """
    job.checkpoint()
    if as_service and not job.serves():
        raise JobIncomplete("The trading day is over, or the configuration is another one: the next run goes on.")


def work(job: JobContext) -> None:
    """Compare with the broker where that is due, trade what is open, and compare again."""
    as_service = job.serves()
    market = BrokerMarket(job, job.data.db_contracts.by_con_id())
    handler = stack_handler(job, market)
    closed = handler.run(lambda: go_on(job, as_service=as_service))
    log.info("stack_handled", closed=closed, waiting=len(handler.worker.waits))
    check(reconciler(job, market, handler.reader).run())
    if not as_service:  # the daemon tells of locks; a service goes on with all that is not locked
        call_a_person(job)
    say_what_failed(handler)


def say_what_failed(handler: StackHandler) -> None:
    """
    Raises:
        JobIncomplete: some order could not be worked, or a roll has ended half done.
    """
    if handler.uneven:
        raise JobIncomplete(f"A roll has ended with one leg ahead of the other: {'; '.join(handler.uneven)}. Nothing "
                            f"more is sent for it.")
    if handler.sick:
        raise JobIncomplete(f"Orders that could not be worked: "
                            f"{'; '.join(f'{order} ({why})' for order, why in handler.sick.items())}. "
                            f"See: tradectl story ORDER")


def reconciler(job: JobContext, market: "BrokerMarket", reader: JournalReader) -> Reconciler:
    """Compares over this job's stores and broker."""
    apart = timedelta(seconds=job.config.service.orders.confirm_break_after_s)
    return Reconciler(
        data=job.data, broker=job.data.broker, contract_of=market.contract_of, apply_news=reader.apply_new,
        wait=job.wait, settings=BreakSettings(apart=apart, quiet=min(apart, BreakSettings().quiet)),
        today=job.trading_day, fence=job.fence)


def compare_where_due(compared: Reconciler) -> None:
    """Compare, unless this was done over the connection of now and on this day."""
    if compared.why_not() is not None:
        check(compared.run())


def check(run: ReconciliationRun) -> None:
    """Trade nothing after a comparison that failed.

    Raises:
        PositionsDiffer: it has.
    """
    if has_failed(run):
        why = "; ".join(found.sentence for found in run.breaks) or run.problem
        raise PositionsDiffer(f"The comparison with the broker has failed, and nothing is traded: {why}. "
                              f"See: tradectl reconcile")


def call_a_person(job: JobContext) -> None:
    """Say what is locked for a reason that a person must look at.

    Raises:
        PositionsDiffer: something is.
    """
    called_for = [lock.reason for lock in job.data.db_locks.all() if lock.cause in CALLS_A_PERSON]
    if called_for:
        raise PositionsDiffer(f"Positions differ, or somebody else trades; these instruments are locked: "
                              f"{'; '.join(called_for)}. See: tradectl locks")


def stack_handler(job: JobContext, market: "BrokerMarket") -> StackHandler:
    """The handler over this job's stores, controls and broker."""
    said, watch = job.config.service.orders, RollWatch(job.data, job.trading_day, who=job.run_id)
    decision = decision_facts(job.data, job.config, job.trading_day)
    settings = paced(for_account(decision.settings, decision.risks), job.config.service.mode)
    facts = IntentFacts(decision=decision, settings=settings, details=market.tradable, trading_day=job.trading_day,
                        approved_months=lambda code: approved_months(watch, code))
    margins = margin_desk(job)
    controls = IntentControls(data=job.data, facts=facts, settings=settings, seen=SeenOnce(job.data), margins=margins)
    worker = AlgoWorker(orders=job.data.db_orders, market=market, sender=job.data.broker, locks=job.data.db_locks,
                        controls=controls, clock=job.clock, manners=manners(job.config))
    reader = journal_reader(job, market)
    return StackHandler(
        orders=job.data.db_orders, sender=job.data.broker, locks=job.data.db_locks, reader=reader,
        resolver=Resolver(job.data.broker, timedelta(seconds=said.prove_lost_within_s)), worker=worker,
        margins=margins, take_back=ForbiddenOrders(job.data).take_back,
        compare=lambda: compare_where_due(reconciler(job, market, reader)), clock=job.clock,
        lots_by_contract=watch.lots_by_contract,
        judge=lambda order: judged_alone(order, decision, settings),
        acknowledge_within=timedelta(seconds=said.acknowledge_within_s),
        fatal=(BrokerUnavailable, StopRequested, PyMongoError))


def margin_desk(job: JobContext) -> MarginDesk | NobodyAsks:
    """Asks over the broker link, unless the configuration says that our own table is enough."""
    if not job.config.service.risk.ask_margin:
        return NobodyAsks()
    return MarginDesk(job.data.broker.margin_after, job.clock.monotonic_s)


def paced(settings: RiskSettings, mode: Mode) -> RiskSettings:
    """A recorded day has no time for a roll of many steps: as few as may be sent within a minute."""
    if mode is not Mode.SIMULATED:
        return settings
    return replace(settings, account=replace(settings.account, roll_units=MOST_AT_ONCE))


def manners(config: Config) -> Manners:
    """As configured."""
    said = config.service.orders
    return Manners(usual_style=usual_style(config), patience=timedelta(seconds=said.time_out_s),
                   participation=Decimal(repr(said.participation)), good_till_date=good_till_date(config))


def good_till_date(config: Config) -> bool:
    """As configured; the clock of a simulated gateway may be set ahead of ours, and then such orders end at once."""
    said = config.service.orders.good_till_date
    return config.service.mode is not Mode.SIMULATED if said is None else said


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


@dataclass
class BrokerMarket:
    """Contracts and quotes, asked through the broker link."""

    job: JobContext
    con_ids: dict[int, Contract]
    _details: dict[str, ContractDetails] = field(default_factory=dict)

    def tradable(self, contract: str) -> ContractDetails:
        if is_spread(contract):
            near, far = map(self.tradable, months_of(contract))
            return near.spread_to(far)
        if contract not in self._details:
            self._details[contract] = self.job.data.db_contracts.load(Contract.parse(contract))
        return self._details[contract]

    def spread(self, near: str, far: str) -> Spread:
        months = [Month(contract=key, con_id=self.tradable(key).con_id) for key in (near, far)]
        terms = self.tradable(near)
        return Spread(symbol=terms.symbol, currency=terms.currency, near=months[0], far=months[1])

    def touch(self, contract: str) -> Touch | None:
        broker = self.job.data.broker
        if is_spread(contract):
            near, far = map(self.tradable, months_of(contract))
            quote = broker.spread_quote(SpreadContract(symbol=near.symbol, currency=near.currency,
                                                       exchange=near.exchange, near=near.con_id, far=far.con_id))
        else:
            quote = broker.quote(self.tradable(contract))
        if quote.bid is None or quote.ask is None:
            return None
        return Touch(bid=quote.bid, ask=quote.ask, at=quote.at, traded=quote.traded)

    def contract_of(self, con_id: int) -> str | None:
        found = self.con_ids.get(con_id)
        return found.key if found is not None else None
