"""Jobs that end at the very moment at which they have run too long. K34.

Some obey, some are ended by SIGTERM wherever they are, some are deaf and race with the SIGKILL at the end of their
grace. What is stored must be what really happened: the exit of the process is the truth, and it has one end.
"""

import signal
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from checker import violations
from rig import Rig, StoreServer, job, until

NewRig = Callable[..., Rig]
LIMIT_S, GRACE_S, A_MANNER = 1, 1, 2
ENDS = {  # after the claim: seconds, and milliseconds more or less; between claim and limit lies the launch
    "polite": (LIMIT_S, (0, 250)), "default": (LIMIT_S, (-20, 120)), "deaf": (LIMIT_S + GRACE_S, (-20, 120))}


def racers() -> dict[str, Any]:
    """Two of each manner, due every five seconds."""
    return {f"{manner}{number}": job(
        "on_time", every="PT5S", timeout=f"PT{LIMIT_S}S", grace=f"PT{GRACE_S}S", misfire_grace="PT5S",
        arguments={"manner": manner, "seconds": ends_s, "spread_ms": list(spread_ms)})
        for manner, (ends_s, spread_ms) in ENDS.items() for number in range(A_MANNER)}


@pytest.mark.parametrize("races", [40, pytest.param(500, marks=pytest.mark.soak)])
def test_k34_a_job_that_ends_at_its_timeout_has_the_one_end_that_its_process_had(
        races: int, server: StoreServer, new_rig: NewRig, capsys: pytest.CaptureFixture[str]) -> None:
    # given jobs that end about when they must, a reset of those that had to be killed, and no more slots at the end
    processes = racers()
    rig = new_rig(server, processes)
    daemon = rig.daemon().start()

    def all_raced() -> bool:
        for name in processes:
            if rig.state(name).get("state") == "TERMINATED":
                daemon.ask("POST", f"/processes/{name}/reset", {"reason": "the next race"})
        return rig.database.process_runs.count_documents({"active": False}) >= races

    # when they have raced
    until(all_raced, 60 + races * 3, f"{races} races")
    assert daemon.stop() == 0
    runs = [run for run in rig.runs() if "tradingd is stopping" not in run["reason"]]

    # then each tells of its end what its process did, and both have won
    assert violations(rig.evidence()) == []
    done = {row["run"] for row in rig.effects(phase="end")}
    assert [sentence for run in runs for sentence in untruths(run, run["_id"] in done)] == []
    assert {run["_id"]: ends for run in runs if (ends := _ends_told(rig, run["_id"])) != [run["state"]]} == {}
    outcomes = Counter((run["process"][:-1], run["state"]) for run in runs)
    with capsys.disabled():
        print(f"\n{len(runs)} races with the timeout: {dict(outcomes)}")
    assert {state for _, state in outcomes} >= {"FINISHED", "ERROR"}, "it was no race"
    if races >= 100:
        lost = {"polite": "ERROR", "default": "ERROR", "deaf": "TERMINATED"}
        assert set(outcomes) == {*lost.items(), *((manner, "FINISHED") for manner in ENDS)}


def untruths(run: dict[str, Any], done: bool) -> list[str]:
    """What a stored run says that cannot be, given whether its body came to its end."""
    told = (run["state"], run["exit_code"], run["signal"])
    timed_out = "longer than allowed" in run["reason"]
    found = []
    if (run["state"] == "FINISHED") != (run["exit_code"] == 0):
        found.append(f"only exit code 0 is FINISHED: {told}")
    if run["state"] == "FINISHED" and (timed_out or not done):
        found.append(f"FINISHED, and the body {'came' if done else 'did not come'} to its end: {run['reason']}")
    if run["state"] != "FINISHED" and not timed_out:
        found.append(f"it was made to end by its timeout and does not say so: {told}, {run['reason']}")
    if (run["state"] == "TERMINATED") != (run["signal"] == signal.SIGKILL):
        found.append(f"only SIGKILL is TERMINATED: {told}")
    if run["state"] == "ERROR" and run["exit_code"] != 143 and run["signal"] != signal.SIGTERM:
        found.append(f"ERROR, but not by what was asked of it: {told}")
    if run["said_code"] is not None and run["exit_code"] not in (None, run["said_code"]):
        found.append(f"it said {run['said_code']}, and ended with {run['exit_code']}")
    return [f"{run['_id']}: {sentence}" for sentence in found]


def _ends_told(rig: Rig, run: str) -> list[str]:
    """The terminal states that events tell of one run."""
    rows = rig.database.process_events.find({"run": run, "from": "RUNNING", "to": {"$ne": "RUNNING"}})
    return [str(row["to"]) for row in rows]
