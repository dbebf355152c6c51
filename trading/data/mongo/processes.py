"""Process states, runs and events: one document each; every write names the version that it read."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from pymongo.client_session import ClientSession
from ulid import ULID

from trading.control.process_control import Desired, LastRun, ProcessControl
from trading.control.process_run import Kind, ProcessRun, RunState, WorkerIdentity
from trading.control.process_state import ProcessState
from trading.data.mongo.connection import Document, MongoStore
from trading.data.mongo.versioned import replace_version
from trading.errors import ConcurrentUpdate, NotFound


class MongoProcesses:
    """The truth about what runs. A state, its run and the event that explains both change in one transaction."""

    def __init__(self, store: MongoStore) -> None:
        self._store = store
        self._states = store.database.process_states
        self._runs = store.database.process_runs
        self._events = store.database.process_events

    def control(self, name: str) -> ProcessControl:
        """The control of `name`; a process that was never seen is NO_PROCESS."""
        document = self._states.find_one({"_id": name})
        return ProcessControl(name=name) if document is None else _control(document)

    def controls(self, names: Iterable[str]) -> dict[str, ProcessControl]:
        stored = {document["_id"]: _control(document) for document in self._states.find()}
        return {name: stored.get(name, ProcessControl(name=name)) for name in names}

    def run(self, run_id: str) -> ProcessRun:
        document = self._runs.find_one({"_id": run_id})
        if document is None:
            raise NotFound(f"There is no run {run_id}. See: tradectl history PROCESS")
        return _run(document)

    def runs(self, process: str, limit: int = 20) -> list[ProcessRun]:
        """The newest runs first."""
        return [_run(document) for document in self._runs.find({"process": process}).sort("created", -1).limit(limit)]

    def last_moment(self) -> datetime | None:
        """When the newest thing happened that a run records, by the world's clock."""
        moments = [row[field] for field in ("created", "started", "ended")
                   for row in self._runs.find({field: {"$ne": None}}, {field: 1}).sort(field, -1).limit(1)]
        return max(moments, default=None)

    def active_runs(self) -> list[ProcessRun]:
        return [_run(document) for document in self._runs.find({"active": True})]

    def attempts(self, process: str, slot: str) -> int:
        """How many runs of `slot` exist."""
        return self._runs.count_documents({"process": process, "slot": slot})

    def save_control(self, control: ProcessControl, event: Mapping[str, Any]) -> ProcessControl:
        """Write a change that concerns no run: pause, resume, reset, a request to stop.

        Raises:
            ConcurrentUpdate: somebody wrote since `control` was read.
        """
        return self._store.transact(lambda session: self._write_control(control, event, session))

    def begin(self, control: ProcessControl, run: ProcessRun) -> tuple[ProcessControl, ProcessRun]:
        """Claim the slot: the run and its process in one step.

        Raises:
            ConcurrentUpdate: the slot is claimed already, or the process changed.
        """
        def steps(session: ClientSession) -> tuple[ProcessControl, ProcessRun]:
            newer = self._write_control(control, {"cause": run.kind.value, "run": run.id}, session)
            return newer, _run(replace_version(self._runs, _run_document(run), 0, f"run {run.id}", session))
        return self._store.transact(steps)

    def end(self, control: ProcessControl, run: ProcessRun) -> ProcessControl:
        """Write the terminal `run` and what it makes of its process in one step."""
        def steps(session: ClientSession) -> ProcessControl:
            replace_version(self._runs, _run_document(run), run.version, f"run {run.id}", session)
            return self._write_control(control, {"cause": run.reason or "exit", "run": run.id}, session)
        return self._store.transact(steps)

    def take(self, run_id: str, owner: str, worker: WorkerIdentity, now: datetime) -> ProcessRun:
        """The worker's step: STARTING becomes RUNNING, once.

        Raises:
            ConcurrentUpdate: the run was taken, settled or claimed anew; this worker must not do anything.
        """
        seen = {"_id": run_id, "owner": owner, "state": RunState.STARTING.value}
        change = {"$set": {"state": RunState.RUNNING.value, "worker": asdict(worker), "started": now,
                           "heartbeat": now}, "$inc": {"v": 1}}
        document = self._runs.find_one_and_update(seen, change, return_document=True)
        if document is None:
            raise ConcurrentUpdate(f"run {run_id}", 1)
        return _run(document)

    def beat(self, run_id: str, now: datetime) -> bool:
        """Note that the worker of `run_id` lives; whether its process was asked to stop."""
        change = {"$set": {"heartbeat": now}}
        document = self._runs.find_one_and_update({"_id": run_id, "active": True}, change, {"process": 1})
        if document is None:
            return True
        state = self._states.find_one({"_id": document["process"], "active_run": run_id}, {"stop_reason": 1})
        return state is None or state.get("stop_reason") is not None

    def note_reason(self, run_id: str, reason: str) -> None:
        """The worker's own account of how it ends; the supervisor decides the state from the exit code."""
        self._runs.update_one({"_id": run_id, "active": True}, {"$set": {"reason": reason}})

    def _write_control(self, control: ProcessControl, event: Mapping[str, Any],
                       session: ClientSession) -> ProcessControl:
        document = _control_document(control)
        newer = _control(replace_version(self._states, document, control.version, f"process {control.name}", session))
        row = {"_id": str(ULID()), "process": control.name, "state": newer.state.value, "v": newer.version,
               "desired": newer.desired.value, **event}
        self._events.insert_one(row, session=session)
        return newer


def _control_document(control: ProcessControl) -> Document:
    document = asdict(control) | {"_id": control.name, "state": control.state.value, "desired": control.desired.value}
    del document["name"], document["version"]
    return document


def _control(document: Document) -> ProcessControl:
    values = _known(ProcessControl, document)
    return ProcessControl(**values | {
        "name": document["_id"], "version": document["v"], "state": ProcessState(document["state"]),
        "desired": Desired(document["desired"]), "last_run": _last(document["last_run"]),
        "last_success": _last(document["last_success"])})


def _last(document: Document | None) -> LastRun | None:
    return None if document is None else LastRun(**document)


def _run_document(run: ProcessRun) -> Document:
    document = asdict(run) | {"_id": run.id, "state": run.state.value, "kind": run.kind.value, "active": run.active,
                              "nominals": list(run.nominals)}
    del document["id"], document["version"]
    return document


def _run(document: Document) -> ProcessRun:
    worker = document.get("worker")
    values = _known(ProcessRun, document)
    return ProcessRun(**values | {
        "id": document["_id"], "version": document["v"], "state": RunState(document["state"]),
        "kind": Kind(document["kind"]), "worker": WorkerIdentity(**worker) if worker else None,
        "nominals": tuple(document["nominals"])})


def _known(fact: type[Any], document: Document) -> Document:
    names = {field.name for field in fields(fact)}
    return {key: value for key, value in document.items() if key in names}

