"""The child's side of a run: take the run, then run the job, then an exit code.

The worker takes the last step of the claim before it imports any job code; if somebody else settled the run first,
it ends without doing anything. Its last word is the exit code, written before it ends, for those who do not see it end.
Exit codes: 0 done, 1 failed, 75 not ours, 78 wrong configuration (not tried again), 143 stopped as asked.
"""

import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from types import FrameType
from typing import Any, Final

from pymongo.errors import PyMongoError

from daemon.children.worker_identity import my_identity
from daemon.children.worker_spec import WorkerSpec
from daemon.house import trading_days
from processes.job import JobContext
from processes.registry import PROCESSES, job_function, job_module
from trading.clock import OFFSET_VARIABLE, SystemClock
from trading.config import Config
from trading.control.process_run import Kind
from trading.data.data_blob import DataBlob
from trading.data.mongo.config_revisions import MongoConfigRevisions
from trading.data.mongo.connection import MongoStore, connect
from trading.data.mongo.processes import MongoProcesses
from trading.errors import ConcurrentUpdate, ConfigError, JobIncomplete, StopRequested, StoreError, TradingError
from trading.log import configure_log, get_log
from trading.process_config import ProcessKind

DONE, FAILED, NOT_OURS, WRONG_CONFIG, STOPPED = 0, 1, 75, 78, 143
HEARTBEAT_S: Final = 5.0
log = get_log()


def preload() -> None:
    """Import everything that a job needs, once, in the zygote."""
    for name in PROCESSES:
        job_module(name)


def connect_early(uri: str, database: str, timeout_s: float) -> MongoStore | None:
    """A connection before there is a run that needs it; None when the store does not answer now."""
    configure_log()
    try:
        return connect(uri, database, timeout_s)
    except StoreError:
        return None


def run_worker(values: dict[str, Any], store: MongoStore | None = None) -> int:
    """Run one job; the exit code. Nothing may escape: this is the worker's boundary."""
    spec = WorkerSpec(**values)
    configure_log()
    os.environ[OFFSET_VARIABLE] = repr(spec.clock_offset_s)
    try:
        return _Worker(spec, store).run()
    except Exception:  # noqa: BLE001 (the boundary: a bug ends the worker, the supervisor goes on)
        traceback.print_exc()
        return FAILED


class _Worker:
    def __init__(self, spec: WorkerSpec, store: MongoStore | None) -> None:
        self._spec = spec
        self._clock = SystemClock(timedelta(seconds=spec.clock_offset_s))
        self._stop = threading.Event()
        self._store = store

    @property
    def _processes(self) -> MongoProcesses:
        assert self._store is not None, "connected when the run was taken"
        return MongoProcesses(self._store)

    def run(self) -> int:
        if not self._take():
            return NOT_OURS
        signal.signal(signal.SIGTERM, self._asked_to_stop)
        threading.Thread(target=self._beat, name="heartbeat", daemon=True).start()
        job = self._context()
        try:
            code = self._run_job(job)
            self._last_word(code)
        finally:
            job.data.close()
        return code

    def _take(self) -> bool:
        """The last step of the claim; while the store does not answer it is tried again, which is harmless."""
        deadline_s, pause_s = time.monotonic() + self._spec.start_timeout_s, 0.2
        while True:
            try:
                if self._store is None:
                    self._store = connect(self._spec.uri, self._spec.database, self._spec.timeout_s)
                self._store.clock.followed = self._clock
                self._processes.take(self._spec.run, self._spec.owner, my_identity(), self._clock.now())
                return True
            except ConcurrentUpdate as error:
                log.warning("run_not_ours", run=self._spec.run, reason=str(error))
                return False
            except (StoreError, PyMongoError) as error:
                if time.monotonic() > deadline_s:
                    log.error("run_not_taken", run=self._spec.run, reason=str(error)[:200])
                    return False
                time.sleep(pause_s)
                pause_s = min(pause_s * 2, 2.0)  # many workers may wait for one store

    def _run_job(self, job: JobContext) -> int:
        log.info("job_started", process=self._spec.process, run=self._spec.run, day=self._spec.trading_day)
        try:
            return self._called(job)
        except SystemExit as leaving:
            return leaving.code if isinstance(leaving.code, int) else FAILED if leaving.code else DONE
        except Exception as error:  # noqa: BLE001 (the boundary: a bug ends the worker, and is kept as its reason)
            traceback.print_exc()
            self._note(f"bug: {type(error).__name__}: {error}")
            return FAILED

    def _called(self, job: JobContext) -> int:
        """The exit code of the job; what nobody expected goes on to the caller."""
        try:
            job_function(self._spec.process, job.process)(job)
        except StopRequested as stopped:
            self._note(str(stopped))
            return STOPPED
        except JobIncomplete as incomplete:
            log.warning("job_incomplete", reason=str(incomplete))
            self._note(str(incomplete))
            return DONE  # the rest of the day goes on without the items that it names
        except ConfigError as error:
            log.error("job_misconfigured", reason=str(error))
            self._note(str(error))
            return WRONG_CONFIG
        except TradingError as error:
            log.error("job_failed", reason=str(error))
            self._note(str(error))
            return FAILED
        log.info("job_finished", process=self._spec.process)
        return DONE

    def _note(self, reason: str) -> None:
        try:
            self._processes.note_reason(self._spec.run, reason[:2000])
        except PyMongoError as error:
            print(f"reason not written: {error}", file=sys.stderr)

    def _last_word(self, code: int) -> None:
        try:
            self._processes.say_end(self._spec.run, code)
        except PyMongoError as error:
            print(f"last word not written: {error}", file=sys.stderr)

    def _context(self) -> JobContext:
        config = Config.from_values(self._spec.config)
        assert self._store is not None
        data = DataBlob(store=self._store, clock=self._clock, socket=Path(self._spec.socket))
        return JobContext(config=config, data=data, clock=self._clock, state=Path(self._spec.state),
                          trading_day=date.fromisoformat(self._spec.trading_day), run_id=self._spec.run,
                          process=config.processes[self._spec.process], slot=self._spec.slot,
                          attempt=self._spec.attempt, fence=self._spec.token, stop_requested=self._stop.is_set,
                          is_fenced_out=self._is_fenced_out, serves=self._serves(config))

    def _serves(self, config: Config) -> Callable[[], bool]:
        """A service that its schedule has started goes on until its trading day ends or the configuration is another;
        what a person or a whole day asks for is done once."""
        if (config.processes[self._spec.process].kind is not ProcessKind.SERVICE
                or self._spec.kind in (Kind.DAY, Kind.MANUAL)):
            return lambda: False
        assert self._store is not None
        days, generations = trading_days(config), MongoConfigRevisions(self._store)
        return lambda: (days.day_of(self._clock.now()) == self._spec.trading_day
                        and generations.newest_generation() <= self._spec.generation)

    def _asked_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stop.set()

    def _is_fenced_out(self) -> bool:
        """Whether a newer leader has settled this run, so that it must not have any effect any more."""
        return not self._processes.is_active(self._spec.run, self._spec.owner)

    def _beat(self) -> None:
        while not self._stop.wait(HEARTBEAT_S):
            try:
                if self._processes.beat(self._spec.run, self._clock.now()):
                    self._stop.set()
            except PyMongoError as error:
                print(f"heartbeat not written: {error}", file=sys.stderr)
