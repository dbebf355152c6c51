"""Process states, runs, ticks and events. Every write names the version that it read, and fences older leaders out."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from pymongo import UpdateOne, timeout
from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError, PyMongoError
from ulid import ULID

from trading.clock import SystemClock
from trading.control.change import Change
from trading.control.due_slot import Tick
from trading.control.process_control import ProcessControl
from trading.control.process_run import ProcessRun, RunState, WorkerIdentity
from trading.data.mongo import process_documents as documents
from trading.data.mongo.connection import Document, MongoStore
from trading.data.mongo.event_ids import EventIds
from trading.data.mongo.newest import newest
from trading.data.mongo.versioned import replace_version
from trading.errors import ConcurrentUpdate, NotFound, SlotTaken

HELD_UP_S: Final = 2.0  # by then the open transactions of the living have ended; nobody leads meanwhile


class MongoProcesses:
    """The truth about what runs. A state, its run, its ticks and the event that explains them change together."""

    def __init__(self, store: MongoStore) -> None:
        self._store = store
        self._states = store.database.process_states
        self._runs = store.database.process_runs
        self._events = store.database.process_events
        self._ticks = store.database.ticks
        self._leases = store.database.leases

    def ping(self) -> None:
        """Return when the store answers."""
        self._store.client.admin.command("ping")

    def control(self, name: str) -> ProcessControl:
        """The control of `name`; a process that was never seen is NO_PROCESS."""
        document = self._states.find_one({"_id": name})
        return ProcessControl(name=name) if document is None else documents.control(document)

    def controls(self, names: Iterable[str]) -> dict[str, ProcessControl]:
        stored = {document["_id"]: documents.control(document) for document in self._states.find()}
        return {name: stored.get(name, ProcessControl(name=name)) for name in names}

    def run(self, run_id: str) -> ProcessRun:
        document = self._runs.find_one({"_id": run_id})
        if document is None:
            raise NotFound(f"There is no run {run_id}. See: tradectl history PROCESS")
        return documents.run(document)

    def runs(self, process: str, limit: int = 20, now: datetime | None = None) -> list[ProcessRun]:
        """The newest runs first; see newest() for `now`."""
        def since(moment: datetime) -> Iterable[Document]:
            return self._runs.find({"process": process, "created": {"$gte": moment}}).sort("created", -1).limit(limit)
        return [documents.run(row) for row in newest(since, now, limit)]

    def ticks(self, process: str, limit: int = 20, now: datetime | None = None) -> list[Tick]:
        """What became of the newest slots that never ran, the newest decision first."""
        def since(moment: datetime) -> Iterable[Document]:
            seen = {"process": process, "decided_at": {"$gte": moment}}
            return self._ticks.find(seen).sort([("decided_at", -1), ("slot", -1)]).limit(limit)
        return [documents.tick(row) for row in newest(since, now, limit)]

    def events(self, process: str | None = None, after: str = "", limit: int = 100) -> list[Document]:
        """The newest events in order of time; behind the event `after`, the oldest."""
        seen: Document = {} if process is None else {"process": process}
        if after:
            return list(self._events.find(seen | {"_id": {"$gt": after}}).sort("_id", 1).limit(limit))

        def since(moment: datetime) -> Iterable[Document]:
            first = str(ULID.from_datetime(moment))[:10]  # its time stamp
            return self._events.find(seen | {"_id": {"$gte": first}}).sort("_id", -1).limit(limit)
        return newest(since, SystemClock().now(), limit)[::-1]

    def last_moment(self) -> datetime | None:
        """When the newest thing happened that a process remembers, by the world's clock."""
        controls = [documents.control(document) for document in self._states.find()]
        runs = [control.last_run for control in controls if control.last_run is not None]
        return max((moment for run in runs for moment in (run.started, run.ended) if moment is not None), default=None)

    def active_runs(self) -> list[ProcessRun]:
        return [documents.run(row) for row in self._runs.find({"active": True})]

    def attempts(self, process: str, slot: str) -> int:
        """How many runs of `slot` exist."""
        return self._runs.count_documents({"process": process, "slot": slot})

    def tried(self, process: str, slot: str) -> int:
        """How many runs of `slot` a worker took: a claim that was withdrawn has done nothing."""
        return self._runs.count_documents(
            {"process": process, "slot": slot, "state": {"$ne": RunState.CANCELLED.value}})

    def fence(self, token: int) -> None:
        """From now on nobody with a smaller token can change any process.

        A leader that was killed or frozen within a transaction still holds what it was writing, for a minute by the
        server's own rule; nobody else could decide about these processes. So when we are held up, open transactions
        are ended: the dead one's for good, while those of the living are begun anew by themselves.
        """
        try:
            with timeout(HELD_UP_S):
                self._raise_tokens(token)
        except PyMongoError as error:
            if not error.timeout:
                raise
            self._store.end_transactions()
            self._raise_tokens(token)

    def _raise_tokens(self, token: int) -> None:
        """One by one: the embedded store locks up when an update of many meets an open transaction and a second one."""
        older: Document = {"token": {"$lt": token}}
        changes = [UpdateOne({"_id": row["_id"], **older}, {"$set": {"token": token}})
                   for row in self._states.find(older, {"_id": 1})]
        if changes:
            self._states.bulk_write(changes, ordered=False)

    def end_transactions(self) -> None:
        """End what processes that were killed have left open; those of the living are begun anew by themselves."""
        self._store.end_transactions()

    def write(self, change: Change) -> ProcessControl:
        """Make `change` durable, all of it or nothing; the control with its new version.

        Raises:
            SlotTaken: a run of this slot and attempt exists; nothing was changed.
            ConcurrentUpdate: somebody wrote since `change.before` was read, or a newer leader has taken over.
        """
        return self._store.transact(lambda session: self._write(change, session))

    def take(self, run_id: str, owner: str, worker: WorkerIdentity, now: datetime) -> None:
        """The worker's step: STARTING becomes RUNNING, once; asking again after a lost answer is harmless.

        Raises:
            ConcurrentUpdate: the run was taken, settled or claimed anew; this worker must not do anything.
        """
        identity = asdict(worker)
        seen = {"_id": run_id, "owner": owner, "state": RunState.STARTING.value}
        change = {"$set": {"state": RunState.RUNNING.value, "worker": identity, "started": now, "heartbeat": now},
                  "$inc": {"v": 1}}
        if self._runs.update_one(seen, change).matched_count == 1:
            return
        ours = {"_id": run_id, "state": RunState.RUNNING.value, "worker": identity}
        if self._runs.find_one(ours, {"_id": 1}) is None:
            raise ConcurrentUpdate(f"run {run_id}", 1)

    def beat(self, run_id: str, now: datetime) -> bool:
        """Note that the worker of `run_id` lives; whether its process was asked to stop."""
        beaten = self._runs.update_one({"_id": run_id, "active": True}, {"$set": {"heartbeat": now}})
        document = self._runs.find_one({"_id": run_id}, {"process": 1}) if beaten.matched_count else None
        if document is None:
            return True
        state = self._states.find_one({"_id": document["process"], "active_run": run_id}, {"stop_reason": 1})
        return state is None or state.get("stop_reason") is not None

    def is_active(self, run_id: str, owner: str) -> bool:
        """Whether the run still belongs to the daemon `owner` that started it, and nobody has settled it."""
        return self._runs.find_one({"_id": run_id, "owner": owner, "active": True}, {"_id": 1}) is not None

    def note_reason(self, run_id: str, reason: str) -> None:
        """The worker's own account of how it ends; the supervisor decides the state from the exit code."""
        self._runs.update_one({"_id": run_id, "active": True}, {"$set": {"reason": reason}})

    def say_end(self, run_id: str, code: int) -> None:
        """The worker's last word, in case that nobody sees it end."""
        self._runs.update_one({"_id": run_id, "active": True}, {"$set": {"said_code": code}})

    def rename(self, old: str, new: str, token: int) -> bool:
        """Carry the history and the place in the schedule of `old` over to `new`; whether there was any."""
        def steps(session: ClientSession) -> bool:
            document = self._states.find_one({"_id": old}, session=session)
            if document is None or self._states.find_one({"_id": new}, session=session) is not None \
                    or document["active_run"] is not None:
                return False
            self._states.insert_one(document | {"_id": new, "token": token}, session=session)
            self._states.delete_one({"_id": old}, session=session)
            for rows in (self._runs, self._ticks, self._events):
                rows.update_many({"process": old}, {"$set": {"process": new}}, session=session)
            return True
        return self._store.transact(steps)

    def _write(self, change: Change, session: ClientSession) -> ProcessControl:
        newer = self._write_control(change, session)
        if change.begins is not None:
            self._insert_run(change.begins, session)
        if change.ends is not None:
            run = change.ends
            replace_version(self._runs, documents.run_document(run), run.version, f"run {run.id}", session)
        if change.ticks:
            self._insert_ticks({tick.id: documents.tick_document(tick) for tick in change.ticks}, session)
        return newer

    def _insert_ticks(self, rows: dict[str, Document], session: ClientSession) -> None:
        """Those that do not stand there yet: a slot is decided once."""
        known = {row["_id"] for row in self._ticks.find({"_id": {"$in": list(rows)}}, {"_id": 1}, session=session)}
        if newer := [row for key, row in rows.items() if key not in known]:
            self._ticks.insert_many(newer, ordered=False, session=session)

    def _insert_run(self, run: ProcessRun, session: ClientSession) -> None:
        if self._runs.find_one({"_id": run.id}, {"_id": 1}, session=session) is not None:
            raise SlotTaken(run.id)
        try:
            self._runs.insert_one(documents.run_document(run) | {"v": 1}, session=session)
        except DuplicateKeyError as error:  # the process already has another active run
            raise ConcurrentUpdate(f"run {run.id}", 0) from error

    def _write_control(self, change: Change, session: ClientSession) -> ProcessControl:
        cause, name, seen = change.cause, change.after.name, change.before.version
        token = max(cause.token, change.before.token)
        document = documents.control_document(change.after) | {
            "v": seen + 1, "token": token, "actor": cause.actor, "reason": cause.reason}
        if seen == 0:
            self._refuse_older_leader(cause.token, name, session)
            self._insert_control(document, session)
        else:
            current = {"_id": name, "v": seen, "token": {"$lte": token if cause.token == 0 else cause.token}}
            if self._states.replace_one(current, document, session=session).matched_count != 1:
                raise ConcurrentUpdate(f"process {name}", seen)
        self._events.insert_one(event_document(change, document), session=session)
        return documents.control(document)

    def _refuse_older_leader(self, token: int, name: str, session: ClientSession) -> None:
        """A process that was never written has no token yet; then the greatest one that was ever given counts."""
        greatest = self._leases.find_one({"_id": "greatest_token"}, session=session)
        if greatest is not None and 0 < token < greatest["token"]:
            raise ConcurrentUpdate(f"process {name}", 0)

    def _insert_control(self, document: Document, session: ClientSession) -> None:
        try:
            self._states.insert_one(document, session=session)
        except DuplicateKeyError as error:
            raise ConcurrentUpdate(f"process {document['_id']}", 0) from error


_IDS: Final = EventIds()


def event_document(change: Change, document: Document) -> dict[str, Any]:
    """What happened, for people; folding the `data` of all events of a process gives its document."""
    old = documents.control_document(change.before)
    concerned = change.begins or change.ends
    data = {key: value for key, value in document.items() if key not in old or old[key] != value}
    return {"_id": _IDS.next(), "process": change.after.name, "run": None if concerned is None else concerned.id,
            "from": change.before.state.value, "to": change.after.state.value, "actor": change.cause.actor,
            "cause": change.cause.reason, "token": change.cause.token, "node": change.cause.node,
            "v_before": change.before.version, "v_after": document["v"], "data": data}
