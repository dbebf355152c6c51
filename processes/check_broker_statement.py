"""Compare the broker's statement of the day before with our fills: it knows what the API no longer tells.

Executions that we missed, that were taken back or corrected, and commissions that never came are booked as if the
broker had just told of them. What our books have and the statement lacks is told and locked, never removed.

Reads: the Flex Web Service of the broker, fills, orders, contracts. Writes: fills, orders, positions, locks.
If it fails: our books stay as they are; safe to run again at any time, or with a file: tradectl reconcile statement.
"""

from typing import Final
from zoneinfo import ZoneInfo

from processes.job import JobContext
from trading.broker.ib.statement import statement_of
from trading.broker.ib.statement_service import Patience, StatementService, read_token
from trading.config import Config, Mode
from trading.control.trading_day import TradingDays
from trading.data.broker_statement import StatementDesk, in_words
from trading.errors import PositionsDiffer
from trading.execution.reconciliation.statement import Statement
from trading.log import get_log

log = get_log()
MOST_NAMED: Final = 10  # in one message; the log has all


PATIENCE: Final = Patience()


def run(job: JobContext, patience: Patience = PATIENCE) -> None:
    """Fetch, compare, book.

    Raises:
        PositionsDiffer: something was booked or locked that a person should know of.
        BrokerError: there is no statement, and why.
        DataError: it cannot be understood, or is not ours; nothing was booked.
    """
    service = job.config.service
    if service.mode is Mode.SIMULATED:
        log.info("no_statement", reason="in mode simulated nobody's broker writes one")
        return
    if service.broker.statements.query is None:
        log.info("no_statement", reason="none is configured: broker.statements.query. See docs/operations.md")
        return
    check(job, statement_of(fetched(job, patience), service.statement_zone))


def fetched(job: JobContext, patience: Patience) -> bytes:
    """The statement as it comes from the broker."""
    wanted = job.config.service.broker.statements
    assert wanted.query is not None
    return StatementService(url=wanted.url, query=wanted.query, token=read_token(wanted.token_file),
                            wait=job.wait, patience=patience).fetch()


def check(job: JobContext, statement: Statement) -> None:
    """Compare `statement` with our books, and book what it proves.

    Raises:
        PositionsDiffer, DataError: see `run`.
    """
    desk = StatementDesk(store=job.data.store, account=job.config.service.broker.account,
                         trading_day=trading_days(job.config).day_of)
    found = desk.look(statement, job.clock.now())
    job.check_fence()
    desk.book(found)
    left = [each.sentence for each in found.for_a_person]
    if left:
        named = "; ".join(left[:MOST_NAMED]) + (f"; and {len(left) - MOST_NAMED} more" if left[MOST_NAMED:] else "")
        raise PositionsDiffer(f"The broker's statement differs from our books ({in_words(found)}): {named}. What it "
                              f"proves is booked. See: tradectl fills, tradectl locks")


def trading_days(config: Config) -> TradingDays:
    """When a trading day begins, as configured."""
    rule = config.service.trading_day
    return TradingDays(zone=ZoneInfo(rule.timezone) if rule.timezone else config.service.zone, starts_at=rule.starts_at)
