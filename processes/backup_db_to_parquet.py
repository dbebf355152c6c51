"""Copy the store to Parquet files: every price series, and every collection of state.

Reads: the store. Writes: backup/<day>/ under the state directory; a backup is complete when its folder has no
`.partial` behind its name.
If it fails: the backup of the day before is still whole; safe to run again at any time.
"""

import shutil

from processes.job import JobContext
from trading.data.parquet.backup import ParquetBackup
from trading.log import get_log

log = get_log()


def run(job: JobContext) -> None:
    """Write beside, then rename: a half backup never has the name of a whole one."""
    target = job.state / "backup" / job.day
    partial = target.with_name(f"{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    backup = ParquetBackup(job.data.store.database, partial)
    for name in backup.collections():
        job.checkpoint()
        log.info("backed_up", collection=name, rows=backup.write(name))
    shutil.rmtree(target, ignore_errors=True)
    partial.rename(target)
