"""Turn what strategies want into instrument orders: the change from what is held, outside the buffer.

Reads: db_optimal_positions of the day, db_books, db_orders, db_locks. Writes: instrument orders, one a decision.
If it fails: safe to run again; the same decision finds its own order and makes no second one.
"""

from processes.job import JobContext
from trading.execution.order_generators.buffered_positions import Holdings, order_for_position
from trading.execution.order_generators.roll_orders import roll_orders
from trading.execution.orders import Decision
from trading.log import get_log
from trading.objects.contracts import Contract
from trading.objects.multiple_prices import current_contracts

log = get_log()


def run(job: JobContext) -> None:
    """Rolls first: they move a position without changing it."""
    generate_rolls(job)
    for name in job.config.strategies:
        generate_strategy(job, name)


def generate_strategy(job: JobContext, strategy: str) -> None:
    """One order for each instrument whose position lies outside its buffer."""
    held = job.data.db_books.strategy_positions()
    working = job.data.db_orders.open_instrument_orders()
    locks = job.data.db_locks.reasons()
    for code, wanted in job.data.db_optimal_positions.of_day(strategy, job.day).items():
        job.checkpoint()
        if code in locks:
            log.warning("not_generated", instrument=code, reason=f"locked: {locks[code]}")
            continue
        holdings = Holdings(
            held=held.get((strategy, code), 0),
            working=sum(order.residual for order in working if (order.strategy, order.instrument) == (strategy, code)))
        order = order_for_position(strategy, code, wanted, holdings, decision(job))
        if order is not None and job.data.db_orders.add_instrument_order(order) is not None:
            log.info("instrument_order", id=order.id, strategy=strategy, instrument=code, quantity=order.quantity)


def generate_rolls(job: JobContext) -> None:
    """Orders that move positions out of contracts that are no longer priced."""
    priced = {}
    for key in job.data.db_books.contract_positions():
        code = Contract.parse(key).instrument
        rows = job.data.db_multiple_prices.load_since(code, job.trading_day.year - 1)
        priced[code] = Contract(code, current_contracts(code, rows).price)
    orders = roll_orders(job.data.db_books.contract_positions(), job.data.db_books.strategy_positions(), priced,
                         job.data.db_orders.open_instrument_orders(), decision(job))
    for order in orders:
        if job.data.db_orders.add_instrument_order(order) is not None:
            log.info("roll_order", id=order.id, instrument=order.instrument, lots=order.roll_quantity,
                     out_of=order.roll_from, into=order.roll_to)


def decision(job: JobContext) -> Decision:
    """On whose account, for which day and when."""
    return Decision(account=job.config.service.broker.account, trading_day=job.day, now=job.clock.now())
