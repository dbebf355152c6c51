"""The store of process states in memory: the same methods, rules and errors as MongoProcesses, linearizable.

What is kept are the documents that would be stored, cut to milliseconds as the server does, so that a value which does
not survive the way there and back is found. tests/contract/test_processes_port.py holds both to the same contract.
"""

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from trading.control.change import Change
from trading.control.due_slot import Tick
from trading.control.process_control import ProcessControl
from trading.control.process_run import ProcessRun, RunState, WorkerIdentity
from trading.data.mongo import process_documents as documents
from trading.data.mongo.processes import event_document
from trading.errors import ConcurrentUpdate, NotFound, SlotTaken

Document = dict[str, Any]


def as_stored(value: Any) -> Any:
    """`value` as it comes back from the server: a copy, times cut to milliseconds."""
    if isinstance(value, datetime):
        return value.replace(microsecond=value.microsecond // 1000 * 1000)
    if isinstance(value, dict):
        return {key: as_stored(each) for key, each in value.items()}
    return [as_stored(each) for each in value] if isinstance(value, list | tuple) else value


@dataclass
class MemoryProcesses:
    """One statement after the other, each whole or not at all."""

    states_kept: dict[str, Document] = field(default_factory=dict)
    runs_kept: dict[str, Document] = field(default_factory=dict)
    ticks_kept: dict[str, Document] = field(default_factory=dict)
    events_kept: list[Document] = field(default_factory=list)  # in the order in which they were written
    fences: list[tuple[int, int]] = field(default_factory=list)  # each token, and how many events came before it

    def ping(self) -> None:
        return None

    def control(self, name: str) -> ProcessControl:
        document = self.states_kept.get(name)
        return ProcessControl(name=name) if document is None else documents.control(document)

    def controls(self, names: Iterable[str]) -> dict[str, ProcessControl]:
        return {name: self.control(name) for name in names}

    def run(self, run_id: str) -> ProcessRun:
        if run_id not in self.runs_kept:
            raise NotFound(f"There is no run {run_id}. See: tradectl history PROCESS")
        return documents.run(self.runs_kept[run_id])

    def runs(self, process: str, limit: int = 20, now: datetime | None = None) -> list[ProcessRun]:
        rows = [row for row in self.runs_kept.values() if row["process"] == process]
        return [documents.run(row) for row in sorted(rows, key=lambda row: row["created"], reverse=True)[:limit]]

    def ticks(self, process: str, limit: int = 20, now: datetime | None = None) -> list[Tick]:
        rows = [row for row in self.ticks_kept.values() if row["process"] == process]
        return [documents.tick(row) for row in sorted(rows, key=_decided, reverse=True)[:limit]]

    def events(self, process: str | None = None, after: str = "", limit: int = 100) -> list[Document]:
        rows = sorted((deepcopy(row) for row in self.events_kept if process in (None, row["process"])),
                      key=lambda row: str(row["_id"]))
        return [row for row in rows if row["_id"] > after][:limit] if after else rows[-limit:]

    def last_moment(self) -> datetime | None:
        moments = [row[each] for row in self.runs_kept.values() for each in ("created", "started", "ended")]
        return max((moment for moment in moments if moment is not None), default=None)

    def active_runs(self) -> list[ProcessRun]:
        return [documents.run(row) for row in self.runs_kept.values() if row["active"]]

    def attempts(self, process: str, slot: str) -> int:
        return sum(row["process"] == process and row["slot"] == slot for row in self.runs_kept.values())

    def tried(self, process: str, slot: str) -> int:
        return sum(row["process"] == process and row["slot"] == slot and row["state"] != RunState.CANCELLED
                   for row in self.runs_kept.values())

    def end_transactions(self) -> None:
        """There are none."""

    def fence(self, token: int) -> None:
        self.fences.append((len(self.events_kept), token))
        for document in self.states_kept.values():
            document["token"] = max(document["token"], token)

    def write(self, change: Change) -> ProcessControl:
        document = self._new_control(change)
        if change.begins is not None:
            self._check_free(change.begins)
        ends = None if change.ends is None else self._new_run(change.ends)
        self.states_kept[change.after.name] = as_stored(document)
        if change.begins is not None:
            self.runs_kept[change.begins.id] = as_stored(documents.run_document(change.begins) | {"v": 1})
        if ends is not None:
            self.runs_kept[ends["_id"]] = ends
        for tick in change.ticks:
            self.ticks_kept.setdefault(tick.id, as_stored(documents.tick_document(tick)))
        self.events_kept.append(as_stored(event_document(change, document)))
        return documents.control(document)

    def take(self, run_id: str, owner: str, worker: WorkerIdentity, now: datetime) -> None:
        row = self.runs_kept.get(run_id)
        if row is not None and row["owner"] == owner and row["state"] == RunState.STARTING.value:
            row |= as_stored({"state": RunState.RUNNING.value, "worker": asdict(worker), "started": now,
                              "heartbeat": now, "v": row["v"] + 1})
        elif row is None or row["state"] != RunState.RUNNING.value or row["worker"] != asdict(worker):
            raise ConcurrentUpdate(f"run {run_id}", 1)

    def beat(self, run_id: str, now: datetime) -> bool:
        row = self.runs_kept.get(run_id)
        if row is None or not row["active"]:
            return True
        row["heartbeat"] = as_stored(now)
        state = self.states_kept.get(row["process"], {})
        return state.get("active_run") != run_id or state["stop_reason"] is not None

    def is_active(self, run_id: str, owner: str) -> bool:
        row = self.runs_kept.get(run_id)
        return row is not None and row["active"] and row["owner"] == owner

    def note_reason(self, run_id: str, reason: str) -> None:
        self._set_while_active(run_id, reason=reason)

    def say_end(self, run_id: str, code: int) -> None:
        self._set_while_active(run_id, said_code=code)

    def rename(self, old: str, new: str, token: int) -> bool:
        document = self.states_kept.get(old)
        if document is None or new in self.states_kept or document["active_run"] is not None:
            return False
        self.states_kept[new] = self.states_kept.pop(old) | {"_id": new, "token": token}
        for row in (*self.runs_kept.values(), *self.ticks_kept.values(), *self.events_kept):
            if row["process"] == old:
                row["process"] = new
        return True

    def _set_while_active(self, run_id: str, **values: object) -> None:
        if run_id in self.runs_kept and self.runs_kept[run_id]["active"]:
            self.runs_kept[run_id] |= values

    def _new_control(self, change: Change) -> Document:
        cause, name, seen = change.cause, change.after.name, change.before.version
        token, found = max(cause.token, change.before.token), self.states_kept.get(name)
        if (found is None) != (seen == 0) or (found is not None and (
                found["v"] != seen or found["token"] > (token if cause.token == 0 else cause.token))):
            raise ConcurrentUpdate(f"process {name}", seen)
        return documents.control_document(change.after) | {
            "v": seen + 1, "token": token, "actor": cause.actor, "reason": cause.reason}

    def _check_free(self, run: ProcessRun) -> None:
        if run.id in self.runs_kept:
            raise SlotTaken(run.id)
        if any(row["active"] and row["process"] == run.process for row in self.runs_kept.values()):
            raise ConcurrentUpdate(f"run {run.id}", 0)

    def _new_run(self, run: ProcessRun) -> Document:
        found = self.runs_kept.get(run.id)
        if found is None or found["v"] != run.version:
            raise ConcurrentUpdate(f"run {run.id}", run.version)
        document: Document = as_stored(documents.run_document(run) | {"v": run.version + 1})
        return document


def _decided(row: Document) -> tuple[datetime, str]:
    return row["decided_at"], row["slot"]
