"""Process controls, runs and ticks as documents, and back. Pure."""

from dataclasses import asdict, fields
from typing import Any

from trading.control.due_slot import DueSlot, SlotOutcome, Tick
from trading.control.process_control import Desired, LastRun, ProcessControl
from trading.control.process_run import Kind, ProcessRun, RunState, WorkerIdentity
from trading.control.process_state import ProcessState
from trading.data.mongo.connection import Document


def control_document(control: ProcessControl) -> Document:
    document = asdict(control) | {
        "_id": control.name, "state": control.state.value, "desired": control.desired.value,
        "pending": [_slot_document(slot) for slot in control.pending], "skips": list(control.skips)}
    del document["name"], document["version"]
    return document


def control(document: Document) -> ProcessControl:
    values = _known(ProcessControl, document)
    return ProcessControl(**values | {
        "name": document["_id"], "version": document["v"], "state": ProcessState(document["state"]),
        "desired": Desired(document["desired"]), "last_run": _last(document["last_run"]),
        "last_success": _last(document["last_success"]),
        "pending": tuple(map(_slot, document.get("pending", ()))), "skips": tuple(document.get("skips", ()))})


def run_document(run: ProcessRun) -> Document:
    document = asdict(run) | {"_id": run.id, "state": run.state.value, "kind": run.kind.value, "active": run.active,
                              "nominals": list(run.nominals)}
    del document["id"], document["version"]
    return document


def run(document: Document) -> ProcessRun:
    values = _known(ProcessRun, document)
    return ProcessRun(**values | {
        "id": document["_id"], "version": document["v"], "state": RunState(document["state"]),
        "kind": Kind(document["kind"]), "worker": _identity(document.get("worker")),
        "daemon": _identity(document.get("daemon")), "nominals": tuple(document["nominals"])})


def tick_document(tick: Tick) -> Document:
    return asdict(tick) | {"_id": tick.id, "outcome": tick.outcome.value, "nominals": list(tick.nominals)}


def tick(document: Document) -> Tick:
    return Tick(**_known(Tick, document) | {"outcome": SlotOutcome(document["outcome"]),
                                            "nominals": tuple(document["nominals"])})


def _slot_document(slot: DueSlot) -> Document:
    return asdict(slot) | {"kind": slot.kind.value, "nominals": list(slot.nominals)}


def _slot(document: Document) -> DueSlot:
    return DueSlot(**_known(DueSlot, document) | {"kind": Kind(document["kind"]),
                                                  "nominals": tuple(document["nominals"])})


def _last(document: Document | None) -> LastRun | None:
    return None if document is None else LastRun(**document)


def _identity(document: Document | None) -> WorkerIdentity | None:
    return None if document is None else WorkerIdentity(**document)


def _known(fact: type[Any], document: Document) -> Document:
    names = {field.name for field in fields(fact)}
    return {key: value for key, value in document.items() if key in names}
