"""The child's side of a run: take the run, then run the job, then an exit code.

The worker takes the last step of the claim before it imports any job code; if somebody else settled the run first,
it ends without doing anything. Exit codes: 0 done, 1 failed, 75 not ours, 143 stopped as asked.
"""

import os
import signal
import sys
import threading
import traceback
from datetime import date, timedelta
from pathlib import Path
from types import FrameType
from typing import Any, Final

from daemon.worker_identity import my_identity
from daemon.worker_spec import WorkerSpec
from processes.job import JobContext
from processes.registry import PROCESSES, job_module
from trading.clock import OFFSET_VARIABLE, SystemClock
from trading.config import Config
from trading.data.data_blob import DataBlob
from trading.data.mongo.connection import connect
from trading.data.mongo.processes import MongoProcesses
from trading.errors import ConcurrentUpdate, JobIncomplete, StopRequested, TradingError
from trading.log import configure_log, get_log

DONE, FAILED, NOT_OURS, STOPPED = 0, 1, 75, 143
HEARTBEAT_S: Final = 5.0
log = get_log()


def preload() -> None:
    """Import everything that a job needs, once, in the zygote."""
    for name in PROCESSES:
        job_module(name)


def run_worker(values: dict[str, Any]) -> int:
    """Run one job; the exit code. Nothing may escape: this is the worker's boundary."""
    spec = WorkerSpec(**values)
    configure_log()
    os.environ[OFFSET_VARIABLE] = repr(spec.clock_offset_s)
    try:
        return _Worker(spec).run()
    except Exception:  # noqa: BLE001 (the boundary: a bug ends the worker, the supervisor goes on)
        traceback.print_exc()
        return FAILED


class _Worker:
    def __init__(self, spec: WorkerSpec) -> None:
        self._spec = spec
        self._clock = SystemClock(timedelta(seconds=spec.clock_offset_s))
        self._store = connect(spec.uri, spec.database, spec.timeout_s)
        self._processes = MongoProcesses(self._store)
        self._stop = threading.Event()

    def run(self) -> int:
        try:
            self._processes.take(self._spec.run, self._spec.owner, my_identity(), self._clock.now())
        except ConcurrentUpdate as error:
            log.warning("run_not_ours", run=self._spec.run, reason=str(error))
            return NOT_OURS
        signal.signal(signal.SIGTERM, self._asked_to_stop)
        threading.Thread(target=self._beat, name="heartbeat", daemon=True).start()
        return self._run_job()

    def _run_job(self) -> int:
        job = self._context()
        log.info("job_started", process=self._spec.process, run=self._spec.run, day=self._spec.trading_day)
        try:
            job_module(self._spec.process).run(job)
        except StopRequested as stopped:
            self._processes.note_reason(self._spec.run, str(stopped))
            return STOPPED
        except JobIncomplete as incomplete:
            log.warning("job_incomplete", reason=str(incomplete))
            self._processes.note_reason(self._spec.run, str(incomplete))
            return DONE  # the rest of the day goes on without the items that it names
        except TradingError as error:
            log.error("job_failed", reason=str(error))
            self._processes.note_reason(self._spec.run, str(error))
            return FAILED
        except Exception as error:
            self._processes.note_reason(self._spec.run, f"bug: {type(error).__name__}: {error}")
            raise
        finally:
            job.data.close()
        log.info("job_finished", process=self._spec.process)
        return DONE

    def _context(self) -> JobContext:
        config = Config.from_values(self._spec.config)
        data = DataBlob(store=self._store, clock=self._clock, socket=Path(self._spec.socket))
        return JobContext(config=config, data=data, clock=self._clock, state=Path(self._spec.state),
                          trading_day=date.fromisoformat(self._spec.trading_day), run_id=self._spec.run,
                          stop_requested=self._stop.is_set)

    def _asked_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stop.set()

    def _beat(self) -> None:
        from pymongo.errors import PyMongoError

        while not self._stop.wait(HEARTBEAT_S):
            try:
                if self._processes.beat(self._spec.run, self._clock.now()):
                    self._stop.set()
            except PyMongoError as error:
                print(f"heartbeat not written: {error}", file=sys.stderr)
