"""Delete what nobody will read again: old run logs, reports, saved backtests, backups, broker messages.

Reads and deletes: files under the state directory; broker messages whose effect is in the books.
If it fails: the disk fills a little more; safe to run again at any time.
"""

import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from processes.job import JobContext
from trading.data.parquet.backtests import ParquetBacktests
from trading.log import get_log

log = get_log()

KEEP_LOGS: Final = timedelta(days=30)
KEEP_REPORTS: Final = timedelta(days=400)
KEEP_BACKUPS: Final = 5
KEEP_BACKTESTS: Final = 30  # of each strategy
KEEP_MESSAGES: Final = 100_000


def run(job: JobContext) -> None:
    """Each kind by its own rule."""
    logs = remove_old_files(job.state / "logs", job.clock.now().timestamp() - KEEP_LOGS.total_seconds())
    reports = remove_old_days(job.state / "reports", job.trading_day - KEEP_REPORTS)
    backups = keep_newest_days(job.state / "backup", KEEP_BACKUPS)
    backtests = ParquetBacktests(job.state / "backtests").keep_newest(KEEP_BACKTESTS)
    messages = job.data.db_journal.drop_applied_before(job.data.db_journal.last_sequence() - KEEP_MESSAGES)
    log.info("cleaned", logs=logs, reports=reports, backups=backups, backtests=backtests, broker_messages=messages)


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
