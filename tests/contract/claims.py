"""Short words for changes of processes in contract tests."""

from trading.control.change import Cause, Change
from trading.control.process_control import ProcessControl
from trading.control.process_run import ProcessRun
from trading.data.mongo.processes import MongoProcesses

CAUSE = Cause(actor="test", reason="because", token=1, node="here")


def begin(processes: MongoProcesses, before: ProcessControl, run: ProcessRun,
          cause: Cause = CAUSE) -> tuple[ProcessControl, ProcessRun]:
    """Claim the slot of `run`."""
    written = processes.write(Change(before=before, after=before.start_process(run), cause=cause, begins=run))
    return written, processes.run(run.id)


def end(processes: MongoProcesses, before: ProcessControl, run: ProcessRun, cause: Cause = CAUSE) -> ProcessControl:
    """Write the terminal `run`."""
    return processes.write(Change(before=before, after=before.finish_process(run), cause=cause, ends=run))


def save(processes: MongoProcesses, before: ProcessControl, after: ProcessControl,
         cause: Cause = CAUSE) -> ProcessControl:
    """Write a change that concerns no run."""
    return processes.write(Change(before=before, after=after, cause=cause))
