"""Delete what nobody will read again, and prove the books: what is held is the sum of what was traded.

Reads and deletes: files under the state directory; broker messages whose effect is in the books; old reconciliations.
Reads: fills, adjustments, positions, events. Writes: a lock for each instrument whose position is not proven.
If it fails: the disk fills a little more, or a person must look at the books; safe to run again at any time.
"""

import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from processes.job import JobContext
from trading.clock import to_milliseconds
from trading.data.parquet.backtests import ParquetBacktests
from trading.errors import JobIncomplete
from trading.execution.reconciliation.rebuild import proof_locks, unproven
from trading.log import get_log

log = get_log()

KEEP_LOGS: Final = timedelta(days=30)
KEEP_REPORTS: Final = timedelta(days=400)
KEEP_BACKUPS: Final = 5
KEEP_BACKTESTS: Final = 30  # of each strategy
KEEP_MESSAGES: Final = 100_000
KEEP_RECONCILIATIONS: Final = timedelta(days=90)
MOST_NAMED: Final = 10  # in one message; the log has all


def run(job: JobContext) -> None:
    """Clean, each kind by its own rule; then prove the books.

    Raises:
        JobIncomplete: a position is not the sum of its fills, or an event is not what was written.
    """
    clean(job)
    job.checkpoint()
    prove_books(job)


def clean(job: JobContext) -> None:
    """Each kind by its own rule."""
    logs = remove_old_files(job.state / "logs", job.clock.now().timestamp() - KEEP_LOGS.total_seconds())
    reports = remove_old_days(job.state / "reports", job.trading_day - KEEP_REPORTS)
    backups = keep_newest_days(job.state / "backup", KEEP_BACKUPS)
    backtests = ParquetBacktests(job.state / "backtests").keep_newest(KEEP_BACKTESTS)
    messages = job.data.db_journal.drop_applied_before(job.data.db_journal.last_sequence() - KEEP_MESSAGES)
    runs = job.data.db_reconciliation_runs.drop_before(to_milliseconds(job.clock.now() - KEEP_RECONCILIATIONS))
    log.info("cleaned", logs=logs, reports=reports, backups=backups, backtests=backtests, broker_messages=messages,
             reconciliations=runs)


def prove_books(job: JobContext) -> None:
    """Fold all that was ever traded, and walk the chain of events; lock what is not proven.

    Raises:
        JobIncomplete: with each position and event that is wrong.
    """
    found = unproven(*job.data.db_books.proof())
    for lock in proof_locks(found, job.clock.now()):
        job.data.db_locks.lock(lock)
    broken = list(job.data.db_events.breaks_in_chain())
    for sentence in (*map(str, found), *broken):
        log.error("books_not_proven", reason=sentence)
    if found or broken:
        named = "; ".join([*map(str, found), *broken][:MOST_NAMED])
        raise JobIncomplete(f"Our books do not prove themselves: {named}. What is locked for it: tradectl locks")
    log.info("books_proven")


def remove_old_files(folder: Path, before: float) -> int:
    """Delete run logs that were last written before `before` (seconds since 1970); how many."""
    old = [path for path in folder.glob("*/*.log") if path.stat().st_mtime < before]
    for path in old:
        path.unlink()
    return len(old)


def remove_old_days(folder: Path, before: date) -> int:
    """Delete day folders older than `before`; how many."""
    old = [path for path in _days(folder) if date.fromisoformat(path.name) < before]
    for path in old:
        shutil.rmtree(path)
    return len(old)


def keep_newest_days(folder: Path, count: int) -> int:
    """Delete all but the newest `count` day folders; how many."""
    old = _days(folder)[:-count]
    for path in old:
        shutil.rmtree(path)
    return len(old)


def _days(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_dir() and _is_day(path.name))


def _is_day(name: str) -> bool:
    try:
        date.fromisoformat(name)
    except ValueError:
        return False
    return True
