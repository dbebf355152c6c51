"""Turn what strategies want into instrument orders, each judged by the controls before it may be traded.

Reads: db_optimal_positions of the day, db_books, db_orders, db_overrides, db_limits, prices, rates, capital.
Writes: the limits in force; what strategies made today; roll states with their reasons; instrument orders, one a
decision, with every answer of the controls; also those denied, and those that wait.
If it fails: safe to run again; the same decision finds its own order and makes no second one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from pymongo.errors import PyMongoError

from processes.job import JobContext
from trading.config import Mode, StrategyConfig
from trading.data.risk.decision_facts import DecisionFacts, decision_facts
from trading.data.risk.judging import judged
from trading.data.risk.settings import for_account
from trading.data.risk.strategy_results import strategy_days
from trading.data.roll_watch import RollWatch, look_at_all
from trading.errors import DataError, JobIncomplete, NotFound
from trading.execution.decided_orders import why
from trading.execution.order_generators.buffered import buffered_trade
from trading.execution.order_generators.roll_orders import Demand, own_part, roll_orders
from trading.execution.order_generators.wanted_trades import Allowed, PositionRule, Standing, WantedTrade
from trading.execution.order_ids import new_instrument_order_id
from trading.execution.orders import Decision, InstrumentOrder
from trading.execution.rolls.decision import RollDecision, RollStyle
from trading.log import get_log
from trading.objects.contracts import Contract
from trading.risk.order_kind import OrderKind
from trading.risk.overrides import Override, OverrideKind
from trading.risk.settings import RiskSettings
from trading.systems.buffered_position import BufferedPosition

log = get_log()
RULES: Final = {OverrideKind.CLOSE: PositionRule.CLOSE, OverrideKind.REDUCE_ONLY: PositionRule.REDUCE_ONLY,
                OverrideKind.NO_OPEN: PositionRule.REDUCE_ONLY}


def run(job: JobContext) -> None:
    """Decide how each instrument rolls, then what the strategies trade, then what is left to be rolled beside that."""
    watch = RollWatch(job.data, job.trading_day, who=job.run_id, is_recorded=job.config.service.mode is Mode.SIMULATED)
    codes = {Contract.parse(key).instrument for key in watch.positions} | set(job.data.db_multiple_prices.codes())
    decisions = look_at_all(watch, sorted(codes))
    facts = decision_facts(job.data, job.config, job.trading_day)
    job.data.db_limits_in_force.save(facts.instrument_limits(), job.clock.now())
    job.data.db_strategy_days.save(job.day, strategy_days(facts, job.data.db_books.fills(job.day)))
    wishes = {name: job.data.db_optimal_positions.of_day(name, job.day) for name in job.config.strategies}
    generator = Generator(job=job, facts=facts, settings=for_account(facts.settings, facts.risks), wishes=wishes)
    orders = [order for name in wishes for order in generator.orders_of(name)]
    problems = generator.decide(orders, held_after(facts, orders))
    for code in sorted({Contract.parse(key).instrument for key in watch.positions}):
        problems += generator.roll(watch, code, decisions.get(code))
    if problems:
        raise JobIncomplete(f"Orders not stored: {', '.join(problems)}. All others are; run it again for these.")


@dataclass(frozen=True, kw_only=True)
class Generator:
    """Makes and judges the orders of one run."""

    job: JobContext
    facts: DecisionFacts
    settings: RiskSettings
    wishes: Mapping[str, Mapping[str, BufferedPosition]]

    def orders_of(self, strategy: str) -> Iterator[InstrumentOrder]:
        """The orders that bring a strategy to what it wants, within what it may hold; a bad one stops nobody else."""
        held = {code for (whose, code) in self.facts.held if whose == strategy}
        for code in sorted({*self.wishes[strategy], *held}):
            try:
                order = self.order_of(strategy, code)
            except DataError as error:
                log.error("not_generated", strategy=strategy, instrument=code, reason=str(error))
                continue
            if order is not None:
                yield order

    def order_of(self, strategy: str, code: str) -> InstrumentOrder | None:
        """One strategy's order for one instrument; None when its position is right as it is."""
        override, wanted = self.facts.override_of(strategy, code), self.wishes[strategy].get(code)
        if override.kind is OverrideKind.NO_TRADE:
            log.info("not_generated", strategy=strategy, instrument=code, reason=override.meaning)
            return None
        rule = RULES.get(override.kind, PositionRule.FREE)
        if is_removed(code, self.job.config.strategies[strategy]):
            wanted, rule = None, PositionRule.CLOSE  # the strategy no longer trades it (pysystemtrade issue 1578)
        allowed = Allowed(rule=rule, limit=self.facts.limit_of(strategy, code))
        trade = buffered_trade(scaled(wanted, override), self.standing(strategy, code), allowed)
        return None if trade.trade == 0 else self.new_order(strategy, code, trade)

    def standing(self, strategy: str, code: str) -> Standing:
        """What the strategy holds, and what works for it."""
        return Standing(held=self.facts.held.get((strategy, code), 0), working=sum(
            order.residual for order in self.facts.working if (order.strategy, order.instrument) == (strategy, code)))

    def new_order(self, strategy: str, code: str, trade: WantedTrade) -> InstrumentOrder:
        """The order; one that its strategy did not ask for only reduces, and says why."""
        job, wanted, standing = self.job, self.wishes[strategy].get(code), self.standing(strategy, code)
        return InstrumentOrder(
            id=new_instrument_order_id(), idempotency_key=f"{strategy}/{code}/{job.day}",
            account=job.config.service.broker.account, strategy=strategy, instrument=code,
            kind=OrderKind.STRATEGY if trade.is_wish else OrderKind.CLOSE_OUT, quantity=trade.trade,
            trading_day=job.day, created=job.clock.now(), target=trade.target,
            held=standing.held, working=standing.working, reason=trade.reason, created_by=job.run_id,
            reference_price=None if wanted is None else Decimal(repr(wanted.reference_price)),
            reference_contract=None if wanted is None else wanted.reference_contract,
            reference_at=None if wanted is None else wanted.as_of)

    def roll(self, watch: RollWatch, code: str, found: RollDecision | None) -> list[str]:
        """Order and judge what is left to be rolled of `code`; what was not stored. A bad one stops nobody else."""
        try:
            orders = orders_of_roll(self.job, watch, found, self.facts, code)
        except (DataError, NotFound) as error:
            log.error("roll_not_ordered", instrument=code, reason=str(error))
            return [f"the roll of {code} ({error})"]
        return [problem for order in orders for problem in self.decide([order], held_after(self.facts, [order]))]

    def decide(self, orders: Sequence[InstrumentOrder], batch: Mapping[str, int]) -> list[str]:
        """Ask the controls about each new decision, and store them together, with the answers; what was not stored."""
        known = self.job.data.db_orders.known_decisions(order.idempotency_key for order in orders)
        asked = [(order, self.judge(order, batch)) for order in orders if order.idempotency_key not in known]
        self.job.checkpoint()
        answered = [found for _, found in asked if isinstance(found, InstrumentOrder)]
        stored = self.job.data.db_orders.add_instrument_orders(answered)
        for each in stored:
            if isinstance(each, InstrumentOrder):
                log.info("instrument_order", id=each.id, strategy=each.strategy, instrument=each.instrument,
                         kind=each.kind.value, quantity=each.roll_quantity or each.quantity,
                         state=each.lifecycle.value, why=why(each) or each.reason)
        return [f"{order.strategy} in {order.instrument} ({type(found).__name__}: {found})"
                for order, found in (*asked, *zip(answered, stored, strict=True)) if isinstance(found, Exception)]

    def judge(self, order: InstrumentOrder, batch: Mapping[str, int]) -> InstrumentOrder | Exception:
        """Ask the controls; what may be traded is counted by those that come after it. Or why they have no answer."""
        self.job.checkpoint()
        wanted = None if order.kind is OrderKind.ROLL else self.wishes.get(order.strategy, {}).get(order.instrument)
        try:
            found = judged(order, wanted, self.facts, self.settings, batch)
        except PyMongoError:
            raise
        except Exception as error:  # the boundary between decisions: one bad instrument must not stop the others
            log.error("not_judged", strategy=order.strategy, instrument=order.instrument, exc_info=error)
            return error
        if found.is_open:
            self.facts.note(found)
        return found


def is_removed(code: str, strategy: StrategyConfig) -> bool:
    """Whether the strategy's own list of instruments leaves `code` out; one that trades all leaves out none."""
    said = strategy.system.get("instruments")
    return isinstance(said, list) and code not in said


def scaled(wanted: BufferedPosition | None, override: Override) -> BufferedPosition | None:
    """What is wanted after a factor: the position itself is smaller, the same for longs and shorts."""
    if wanted is None or override.factor >= 1:
        return wanted
    return replace(wanted, lower=wanted.lower * override.factor, upper=wanted.upper * override.factor,
                   optimal=wanted.optimal * override.factor)


def held_after(facts: DecisionFacts, orders: list[InstrumentOrder]) -> dict[str, int]:
    """Lots by instrument once everything that was ordered is filled."""
    found: dict[str, int] = {}
    for (_, code), lots in facts.held.items():
        found[code] = found.get(code, 0) + lots
    for order in (*facts.working, *orders):
        found[order.instrument] = found.get(order.instrument, 0) + order.residual
    return found


def orders_of_roll(job: JobContext, watch: RollWatch, found: RollDecision | None, facts: DecisionFacts,
                   code: str) -> list[InstrumentOrder]:
    """What the roll state of `code` demands beside what its strategies trade; once for a contract and day."""
    orders: list[InstrumentOrder] = []
    working = [order for order in facts.working if order.instrument == code]
    leaving = {order.contract or order.roll_from for order in working}
    trade = sum(order.residual for order in working if not order.holds)
    for contracts in watch.rolls(code):
        if contracts.front.key in leaving:
            continue
        demand = Demand(state=watch.state(code), trade=trade, may_go_on=found is not None and found.roll_forward_leg,
                        style=RollStyle.BEST if found is None else found.style)
        holders = {strategy: lots for (strategy, each), lots in facts.held.items() if each == code}
        orders += roll_orders(contracts, demand, holders, decision(job))
        trade -= own_part(contracts, trade)
    return orders


def decision(job: JobContext) -> Decision:
    """On whose account, for which day and when."""
    return Decision(account=job.config.service.broker.account, trading_day=job.day, now=job.clock.now())
