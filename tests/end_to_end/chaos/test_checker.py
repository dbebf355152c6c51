"""The checker itself: it must see what it is there to see, and nothing else. Pure, no processes."""

from datetime import UTC, datetime
from typing import Any

import pytest
from checker import Evidence, violations

from trading.control.process_control import ProcessControl
from trading.data.mongo.process_documents import control_document

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def a_run(**more: Any) -> dict[str, Any]:
    slot, attempt = more.get("slot", "2026-03-02T12:00:02Z"), more.get("attempt", 1)
    return {"_id": f"beat@{slot}#{attempt}", "process": "beat", "slot": slot, "attempt": attempt, "state": "FINISHED",
            "active": False, "kind": "scheduled", "ended": NOON, **more}


def marks(run: dict[str, Any], at: float = 10.0, ends: bool = True, fence: int = 1) -> list[dict[str, Any]]:
    row = {"run": run["_id"], "process": "beat", "pid": 7, "fence": fence}
    both = [{**row, "phase": "start", "monotonic": at}, {**row, "phase": "end", "monotonic": at + 1}]
    return both if ends else both[:1]


def history(*steps: dict[str, Any]) -> dict[str, Any]:
    """Events with these data and the document that they give."""
    document: dict[str, Any] = control_document(ProcessControl(name="beat"))
    events, state = [], "NO_PROCESS"
    for number, data in enumerate(steps, 1):
        written = {**data, "v": number, "token": data.get("token", 1)}
        document |= written
        events.append({"_id": f"e{number}", "process": "beat", "from": state, "to": data.get("state", state),
                       "cause": "", "token": written["token"], "v_before": number - 1, "v_after": number,
                       "data": written})
        state = data.get("state", state)
    return {"events": events, "states": [document]}


def test_a_clean_history_breaks_no_rule() -> None:
    # given one slot that ran, one that was skipped and one that waits
    run = a_run()
    waiting = {"key": "2026-03-02T12:00:06Z", "attempt": 1}
    told = history({"evaluated_through": NOON}, {"state": "RUNNING", "active_run": run["_id"]},
                   {"state": "FINISHED", "active_run": None},
                   {"evaluated_through": NOON.replace(second=6), "pending": [waiting]})
    tick = {"_id": "beat@2026-03-02T12:00:04Z", "process": "beat", "slot": "2026-03-02T12:00:04Z", "until": "",
            "outcome": "SKIPPED", "reason": "paused"}

    # then
    assert violations(Evidence(effects=marks(run), runs=[run], ticks=[tick], **told), {"beat": 2}) == []


RUN = a_run()
SECOND = a_run(attempt=2)
BROKEN = {
    "has 2 bodies": Evidence(effects=[*marks(RUN), *marks(RUN, 20)], runs=[RUN]),
    "had a body, but no record": Evidence(effects=marks(RUN)),
    "its body did not come to its end": Evidence(effects=marks(RUN, ends=False), runs=[RUN]),
    "CANCELLED (nothing ran), but it had a body": Evidence(effects=marks(RUN), runs=[a_run(state="CANCELLED")]),
    "has the attempts [1, 3]": Evidence(effects=marks(a_run(attempt=3)), runs=[
        a_run(state="ERROR"), a_run(attempt=3)]),
    "which is FINISHED": Evidence(effects=[*marks(RUN), *marks(SECOND, 20)], runs=[RUN, SECOND]),
    "which is LOST": Evidence(effects=marks(SECOND, 20), runs=[a_run(state="LOST"), SECOND]),
    "overlap": Evidence(effects=[*marks(RUN, 10), *marks(SECOND, 10.5)], runs=[a_run(state="ERROR"), SECOND]),
    "FINISHED became ERROR": Evidence(**history({"state": "RUNNING"}, {"state": "FINISHED"}, {"state": "ERROR"})),
    "acted under token 4 after 5": Evidence(
        effects=[*marks(RUN, 10, fence=5), *marks(a_run(slot="2026-03-02T12:00:04Z"), 20, fence=4)],
        runs=[RUN, a_run(slot="2026-03-02T12:00:04Z")]),
    "the token went from 5 back to 4": Evidence(**history({"token": 5}, {"token": 4})),
    "is still RUNNING": Evidence(runs=[a_run(state="RUNNING", active=True)]),
    "nobody knows since when": Evidence(runs=[a_run(state="LOST", ended=None)]),
}


@pytest.mark.parametrize("rule", BROKEN)
def test_each_broken_rule_is_told(rule: str) -> None:
    found = violations(BROKEN[rule])
    assert any(rule in sentence for sentence in found), found


def test_a_lost_run_may_be_repeated_only_where_the_process_says_so() -> None:
    evidence = Evidence(effects=marks(SECOND, 20), runs=[a_run(state="LOST"), SECOND])
    assert violations(evidence, may_repeat=frozenset({"beat"})) == []


def test_a_slot_without_an_outcome_is_told() -> None:
    told = history({"evaluated_through": NOON}, {"evaluated_through": NOON.replace(second=4)})
    assert violations(Evidence(**told), {"beat": 2}) == [
        "beat@2026-03-02T12:00:02Z has 0 outcomes: none", "beat@2026-03-02T12:00:04Z has 0 outcomes: none"]


def test_a_slot_with_two_outcomes_is_told() -> None:
    told = history({"evaluated_through": NOON}, {"evaluated_through": NOON.replace(second=2)})
    tick = {"_id": "t", "process": "beat", "slot": RUN["slot"], "until": "", "outcome": "MISSED", "reason": "late"}
    assert violations(Evidence(effects=marks(RUN), runs=[RUN], ticks=[tick], **told), {"beat": 2}) == [
        "beat@2026-03-02T12:00:02Z has 2 outcomes: run, MISSED"]


def test_one_record_may_stand_for_many_slots() -> None:
    told = history({"evaluated_through": NOON}, {"evaluated_through": NOON.replace(second=8)})
    tick = {"_id": "t", "process": "beat", "slot": "2026-03-02T12:00:02Z", "until": "2026-03-02T12:00:08Z",
            "outcome": "MISSED", "reason": "down"}
    assert violations(Evidence(ticks=[tick], **told), {"beat": 2}) == []


@pytest.mark.parametrize("harm", ["gap", "fold", "document ahead"])
def test_a_broken_chain_of_versions_is_told(harm: str) -> None:
    told = history({"detail": "one"}, {"detail": "two"}, {"detail": "three"})
    if harm == "gap":
        del told["events"][1]
    elif harm == "fold":
        told["states"][0]["detail"] = "four"
    else:
        told["states"][0]["v"] = 4
    assert len(violations(Evidence(**told))) >= 1
