"""What must hold of the store and of the workers after every step, and once everything has come to rest."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from runner_fakes import Body
from runner_world import World

from daemon.decisions.slots import slots_between
from trading.control.due_slot import slot_key
from trading.control.process_control import ProcessControl
from trading.control.process_run import ACTIVE, RunState
from trading.control.process_state import TRANSITIONS, ProcessState
from trading.data.mongo import process_documents as documents
from trading.process_config import OnLost, ProcessConfig

Document = dict[str, Any]


@dataclass
class Stretch:
    """A schedule that was in force: every slot later than `start`, up to `end`, was decided by it."""

    process: ProcessConfig
    start: datetime
    end: datetime


@dataclass
class Checks:
    """Reads the events as they come, and compares them with what is stored."""

    world: World
    resource: str
    one_machine: bool
    _read: int = 0
    _folded: dict[str, Document] = field(default_factory=dict)
    _terminal: dict[str, Document] = field(default_factory=dict)
    _known_bodies: int = 0
    _stretches: dict[str, list[Stretch]] = field(default_factory=dict)

    def after_a_step(self) -> None:
        assert self.world.problems == [], self.world.problems
        self._events()
        self._runs()
        self._bodies()
        leaders = [each for each in self.world.daemons if each.acts and each.leadership.is_leader]
        assert len({each.leadership.token for each in leaders}) == len(leaders), "two leaders under one token"

    def at_rest(self) -> None:
        """All faults are healed, one daemon leads, and nothing is due."""
        leader = self.world.leader
        assert leader is not None, "nobody leads"
        assert leader.runner is not None
        for row in self.world.processes.runs_kept.values():
            assert RunState(row["state"]) not in ACTIVE, f"{row['_id']} is still {row['state']}"
        for name, process in self.world.plan.processes.items():
            self._all_slots_are_decided(name)
            through = self.world.processes.control(name).evaluated_through
            assert through is not None, f"{name} was never looked at"
            late = self._slots(process, through, self.world.wall)
            assert late == [], f"{name}: nobody looks at {late[0]}"
            if process.on_success_of is not None and process.on_success_of in self.world.plan.processes:
                success = self.world.processes.control(process.on_success_of).last_success
                assert success is None or self.world.processes.control(name).triggered_by == success.id
            why = leader.runner.why.get(name, "")
            assert self.resource not in why, f"{name} waits though nothing runs: {why}"

    # --- events and states ------------------------------------------------------------------------------------

    def _events(self) -> None:
        kept = self.world.processes.events_kept
        for number, event in enumerate(kept[self._read:], self._read):
            fenced = max((token for before, token in self.world.processes.fences if before <= number), default=0)
            if event["v_before"] > 0:  # a fence stands around what exists
                assert event["token"] >= fenced, f"{event['process']} was written from behind the fence {fenced}"
            self._event(event)
        self._read = len(kept)
        for name, document in self.world.processes.states_kept.items():
            assert self._folded[name] == document | {"token": self._folded[name]["token"]}, f"events of {name} differ"

    def _event(self, event: Document) -> None:
        name, data = event["process"], event["data"]
        before = self._folded.get(name, documents.control_document(ProcessControl(name=name)) | {"v": 0})
        after = before | data
        old, new = ProcessState(event["from"]), ProcessState(event["to"])
        assert old is new or new in TRANSITIONS[old], f"{name}: {old} to {new}"
        assert (before["state"], after["state"]) == (old.value, new.value)
        assert event["v_before"] == before["v"]
        assert event["v_after"] == after["v"] == before["v"] + 1
        assert event["token"] >= before["token"], f"{name}: token went back from {before['token']} to {event['token']}"
        starts = old is not ProcessState.RUNNING and new is ProcessState.RUNNING
        assert not (starts and event["actor"] == "schedule" and before["desired"] == "paused"), f"{name} is paused"
        self._follow(name, before, after)
        self._folded[name] = after | {"token": event["token"]}

    def _follow(self, name: str, before: Document, after: Document) -> None:
        """The cursor goes forward, and each schedule answers for its own stretch."""
        through, earlier = after["evaluated_through"], before["evaluated_through"]
        assert earlier is None or through >= earlier, f"{name}: evaluated_through went back from {earlier} to {through}"
        stretches = self._stretches.setdefault(name, [])
        if after["schedule"] != before["schedule"]:
            stretches.append(Stretch(self.world.schedules[after["schedule"]], through, through))
        elif stretches and through > earlier:
            stretches[-1].end = through

    # --- runs and bodies --------------------------------------------------------------------------------------

    def _runs(self) -> None:
        rows = self.world.processes.runs_kept
        active = [row for row in rows.values() if RunState(row["state"]) in ACTIVE]
        assert len({row["process"] for row in active}) == len(active), "two active runs of one process"
        holders = [row["_id"] for row in active if self._needs(row["process"])]
        assert len(holders) <= 1, f"{self.resource} is held twice: {holders}"
        for row in rows.values():
            assert row["state"] != RunState.RUNNING or row["worker"] is not None
            if RunState(row["state"]) not in ACTIVE:
                found = self._terminal.setdefault(row["_id"], dict(row))
                assert found == row or found["state"] == RunState.LOST, f"{row['_id']} has changed: {found} {row}"
                self._terminal[row["_id"]] = dict(row)
        both = {f"{row['process']}@{row['slot']}" for row in rows.values()} & set(self.world.processes.ticks_kept)
        assert not both, f"a run and a tick: {both}"

    def _needs(self, name: str) -> bool:
        process = self.world.plan.processes.get(name)
        return process is not None and self.resource in process.resources

    def _bodies(self) -> None:
        bodies = self.world.bodies
        for number, body in enumerate(bodies[self._known_bodies:], self._known_bodies):
            for other in bodies[:number]:
                self._may_both_have_run(other, body)
        self._known_bodies = len(bodies)

    def _may_both_have_run(self, first: Body, second: Body) -> None:
        """`second` began after `first`."""
        overlap = first.ended_s is None or first.ended_s > second.began_s
        if first.process == second.process:
            process = self.world.plan.processes[first.process]
            if first.slot == second.slot and process.on_lost is OnLost.HOLD:
                ended = self.world.processes.runs_kept[f"{first.process}@{first.slot}#{first.attempt}"]["state"]
                assert ended == RunState.ERROR, f"a second body, and the first is {ended}: {first}, {second}"
            assert not overlap or not self.one_machine, f"two bodies at once: {first}, {second}"
        elif self._needs(first.process) and self._needs(second.process):
            assert not overlap or not self.one_machine, f"{self.resource} is used twice: {first}, {second}"

    # --- slots ------------------------------------------------------------------------------------------------

    def _slots(self, process: ProcessConfig, start: datetime, end: datetime) -> list[str]:
        if start >= end or not process.enabled:
            return []
        zone = self.world.plan.zone_of(process)
        return [slot_key(slot.instant) for slot in slots_between(process, zone, None, start, end)]

    def _all_slots_are_decided(self, name: str) -> None:
        runs, ticks = self.world.processes.runs_kept.values(), self.world.processes.ticks_kept.values()
        attempts: dict[str, list[int]] = {}
        for row in runs:
            if row["process"] == name:
                attempts.setdefault(row["slot"], []).append(row["attempt"])
        decided = {row["slot"] for row in ticks if row["process"] == name} | set(attempts)
        decided |= {slot.key for slot in self.world.processes.control(name).pending}
        spans = [(row["slot"], row["until"]) for row in ticks if row["process"] == name and row["until"]]
        for stretch in self._stretches.get(name, []):
            for key in self._slots(stretch.process, stretch.start, stretch.end):
                assert key in decided or any(first <= key <= last for first, last in spans), f"{name}@{key} is lost"
        for slot, numbers in attempts.items():
            assert sorted(numbers) == list(range(1, len(numbers) + 1)), f"{name}@{slot}: attempts {numbers}"
