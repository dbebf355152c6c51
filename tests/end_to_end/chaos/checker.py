"""Did it happen as it is written? Compares the jobs' own effect log with what the store says. Pure.

Every rule gives sentences about what breaks it; no sentence, no violation. The rules are the invariants of the
scheduler: one body a slot, one outcome a slot, only allowed transitions, an unbroken chain of versions, tokens that
never go back, and nothing half done once everything has come to rest.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from trading.control.due_slot import slot_key
from trading.control.process_control import ProcessControl
from trading.control.process_run import ACTIVE
from trading.control.process_state import TRANSITIONS, ProcessState
from trading.data.mongo.process_documents import control_document

Row = Mapping[str, Any]
_REPEATED = frozenset({"ERROR", "CANCELLED"})  # after these the same slot may be tried again


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What the jobs say (`effects`), and what the store says."""

    effects: list[Any] = field(default_factory=list)
    runs: list[Any] = field(default_factory=list)
    ticks: list[Any] = field(default_factory=list)
    events: list[Any] = field(default_factory=list)
    states: list[Any] = field(default_factory=list)


def violations(evidence: Evidence, every_s: Mapping[str, int] | None = None,
               may_repeat: frozenset[str] = frozenset()) -> list[str]:
    """Everything that is wrong.

    Args:
        every_s: the rhythm of processes that repeat; of these each slot is looked for.
        may_repeat: processes with on_lost: retry.
    """
    rules: list[Iterator[str]] = [
        _one_body_a_run(evidence), _deeds_match_words(evidence), _attempts(evidence, may_repeat),
        _slots(evidence, every_s or {}), _transitions(evidence), _versions(evidence), _folding(evidence),
        _tokens(evidence), _rest(evidence)]
    return [sentence for rule in rules for sentence in rule]


def _one_body_a_run(evidence: Evidence) -> Iterator[str]:
    for run, bodies in _by(_starts(evidence), lambda row: row["run"]).items():
        if len(bodies) > 1:
            yield f"{run} has {len(bodies)} bodies, pids {[body['pid'] for body in bodies]}"


def _deeds_match_words(evidence: Evidence) -> Iterator[str]:
    """What the store says of a run is what its body did."""
    begun = {row["run"] for row in _starts(evidence)}
    done = {row["run"] for row in evidence.effects if row["phase"] == "end"}
    known = {run["_id"]: run["state"] for run in evidence.runs}
    for run in begun - known.keys():
        yield f"{run} had a body, but no record"
    for run, state in known.items():
        if state == "FINISHED" and run not in done:
            yield f"{run} is FINISHED, but its body did not come to its end"
        if state == "CANCELLED" and run in begun:
            yield f"{run} is CANCELLED (nothing ran), but it had a body"


def _attempts(evidence: Evidence, may_repeat: frozenset[str]) -> Iterator[str]:
    """The attempts at a slot follow each other, each for a reason, and their bodies do not overlap."""
    for slot, runs in _by(evidence.runs, lambda run: f"{run['process']}@{run['slot']}").items():
        chain = sorted(runs, key=lambda run: int(run["attempt"]))
        if [run["attempt"] for run in chain] != list(range(1, len(chain) + 1)) and chain[0]["kind"] != "backfill":
            yield f"{slot} has the attempts {[run['attempt'] for run in chain]}"
        for earlier, later in pairwise(chain):
            again = earlier["state"] in _REPEATED or (earlier["state"] == "LOST" and later["process"] in may_repeat)
            if not again and later["kind"] != "backfill":
                yield f"{later['_id']} follows {earlier['_id']}, which is {earlier['state']}"
        yield from _overlaps(evidence, slot, {run["_id"] for run in chain})


def _overlaps(evidence: Evidence, slot: str, runs: set[str]) -> Iterator[str]:
    ends = {row["run"]: row["monotonic"] for row in evidence.effects if row["phase"] in ("end", "failed")}
    bodies = sorted((row["monotonic"], row["run"]) for row in _starts(evidence) if row["run"] in runs)
    for (_, earlier), (begins, later) in pairwise(bodies):
        if ends.get(earlier, begins) > begins:
            yield f"the bodies {earlier} and {later} of {slot} overlap"


def _slots(evidence: Evidence, every_s: Mapping[str, int]) -> Iterator[str]:
    """Each due slot has exactly one outcome: a chain of runs, or a tick, or it waits."""
    states = {state["_id"]: state for state in evidence.states}
    for process, period_s in every_s.items():
        first = _first_evaluation(evidence, process)
        if first is None or process not in states:
            yield f"{process} was never looked at"
            continue
        outcomes = _outcomes(evidence, process, states[process], period_s)
        for instant in _instants(first, states[process]["evaluated_through"], period_s):
            found = outcomes.get(slot_key(instant), [])
            if len(found) != 1:
                yield f"{process}@{slot_key(instant)} has {len(found)} outcomes: {', '.join(found) or 'none'}"
        for tick in evidence.ticks:
            if not tick["reason"]:
                yield f"{tick['_id']} is {tick['outcome']} without a reason"


def _outcomes(evidence: Evidence, process: str, state: Row, period_s: int) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for slot in {run["slot"] for run in evidence.runs if run["process"] == process}:
        found[slot].append("run")
    for tick in evidence.ticks:
        if tick["process"] == process:
            first, last = _instant(tick["slot"]), _instant(tick["until"] or tick["slot"])
            for instant in [first, *_instants(first, last, period_s)]:
                found[slot_key(instant)].append(tick["outcome"])
    for slot in state["pending"]:
        if slot["attempt"] == 1:
            found[slot["key"]].append("pending")
    return found


def _instants(after: datetime, through: datetime, period_s: int) -> Iterator[datetime]:
    """Multiples of the period since midnight UTC, computed here and not by the code under test."""
    day = timedelta(days=1)
    midnight = after.replace(hour=0, minute=0, second=0, microsecond=0)
    while midnight <= through:
        for number in range(0, 86_400, period_s):
            instant = midnight + timedelta(seconds=number)
            if after < instant <= through:
                yield instant
        midnight += day


def _first_evaluation(evidence: Evidence, process: str) -> datetime | None:
    events = sorted((event for event in evidence.events if event["process"] == process), key=_version)
    evaluated = (event["data"].get("evaluated_through") for event in events)
    return next((moment for moment in evaluated if moment is not None), None)


def _transitions(evidence: Evidence) -> Iterator[str]:
    for process, events in _by(evidence.events, lambda event: event["process"]).items():
        state = "NO_PROCESS"
        for event in sorted(events, key=_version):
            if event["from"] != state:
                yield f"{process}: version {event['v_after']} begins as {event['from']}, before it was {state}"
            if not _is_allowed(ProcessState(event["from"]), ProcessState(event["to"])):
                yield f"{process}: {event['from']} became {event['to']} in version {event['v_after']}"
            state = event["to"]


def _is_allowed(old: ProcessState, new: ProcessState) -> bool:
    return old is new or new in TRANSITIONS[old]


def _versions(evidence: Evidence) -> Iterator[str]:
    versions = {state["_id"]: state["v"] for state in evidence.states}
    for process, events in _by(evidence.events, lambda event: event["process"]).items():
        chain = sorted(events, key=_version)
        for event in chain:
            if event["v_after"] != event["v_before"] + 1:
                yield f"{process}: an event leads from version {event['v_before']} to {event['v_after']}"
        numbers = [event["v_after"] for event in chain]
        if numbers != list(range(1, len(numbers) + 1)) or numbers[-1] != versions.get(process):
            yield (f"{process}: the events make versions {numbers[:3]}..{numbers[-3:]}, the document has "
                   f"{versions.get(process)}")


def _folding(evidence: Evidence) -> Iterator[str]:
    events = _by(evidence.events, lambda event: event["process"])
    for state in evidence.states:
        document: dict[str, Any] = control_document(ProcessControl(name=state["_id"]))
        for event in sorted(events.get(state["_id"], []), key=_version):
            document |= event["data"]
        keys = (document.keys() | state.keys()) - {"token"}  # fencing raises the token without an event
        if wrong := {key for key in keys if document.get(key) != state.get(key)}:
            yield f"{state['_id']}: the events do not give the document in {', '.join(sorted(wrong))}"
        if state["token"] < document["token"]:
            yield f"{state['_id']}: the token {state['token']} is smaller than that of its events, {document['token']}"


def _tokens(evidence: Evidence) -> Iterator[str]:
    for process, events in _by(evidence.events, lambda event: event["process"]).items():
        for earlier, later in pairwise(sorted(events, key=_version)):
            if 0 < later["token"] < earlier["token"]:
                yield f"{process}: the token went from {earlier['token']} back to {later['token']}"
    for process, bodies in _by(_starts(evidence), lambda row: row["process"]).items():
        for earlier, later in pairwise(sorted(bodies, key=lambda row: float(row["monotonic"]))):
            if later["fence"] < earlier["fence"]:
                yield f"{process}: {later['run']} acted under token {later['fence']} after {earlier['fence']}"


def _rest(evidence: Evidence) -> Iterator[str]:
    """Once everything has come to rest, nothing is active."""
    for run in evidence.runs:
        if run["state"] in ACTIVE or run["active"]:
            yield f"{run['_id']} is still {run['state']}"
        elif run["ended"] is None:
            yield f"{run['_id']} is {run['state']}, but nobody knows since when"
    for state in evidence.states:
        if state["state"] == ProcessState.RUNNING or state["active_run"] is not None:
            yield f"{state['_id']} is still {state['state']} ({state['active_run']})"


def _starts(evidence: Evidence) -> list[Any]:
    return [row for row in evidence.effects if row["phase"] == "start"]


def _by(rows: list[Any], key: Callable[[Row], str]) -> dict[str, list[Any]]:
    groups: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return groups


def _version(event: Row) -> int:
    return int(event["v_after"])


def _instant(key: str) -> datetime:
    return datetime.strptime(key, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
