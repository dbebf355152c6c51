"""A run is known by its worker's boot, pid and start time together: after a reboot, and when the pid is used again.

K08, K09. The daemon is killed under a long run and its worker dies with it; what a reboot, or another program under
the same pid, would make of the record is then written into the store.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from checker import violations
from rig import Daemon, Rig, StoreServer, is_alive, job, until

from daemon.children.worker_identity import identity_of
from trading.unix_socket import DaemonRefused

NewRig = Callable[..., Rig]
PROCESSES = {"long": job(arguments={"seconds": 50}), "follows": job(on_success_of="long"),
             "needs": job(after=["long"])}


@pytest.fixture
def stranger() -> Iterator["subprocess.Popen[bytes]"]:
    """A program of somebody else's, a leader of its own group as a worker is."""
    program = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(120)"], start_new_session=True)
    yield program
    program.kill()
    program.wait()


def killed_under_a_long_run(rig: Rig) -> dict[str, Any]:
    """The stored run, active, when daemon and worker are gone."""
    daemon = rig.daemon().start()
    run = daemon.run("long")["run"]
    until(lambda: rig.effects("long", "start"), 15, "its body has begun")
    daemon.kill()
    assert rig.wait_until_gone() == []
    [found] = rig.runs("long")
    assert (found["_id"], found["state"], found["active"]) == (run, "RUNNING", True)
    return found


def rewritten(rig: Rig, run: dict[str, Any], **worker: Any) -> None:
    """Give the worker and the daemon of a stored run another identity."""
    values = {f"{who}.{key}": value for who in ("worker", "daemon") for key, value in worker.items()}
    assert rig.database.process_runs.update_one({"_id": run["_id"]}, {"$set": values}).modified_count == 1


def check_lost(rig: Rig, daemon: Daemon) -> None:
    """The run is LOST, says what to do, and nothing that waits for its success has run."""
    [run] = rig.runs("long")
    assert run["state"] == "LOST"
    assert run["exit_code"] is None
    assert f"tradectl resolve {run['_id']}" in run["reason"]
    assert rig.state("long")["state"] == "ERROR"
    assert rig.effects("follows") == []
    assert rig.runs("follows") == []
    with pytest.raises(DaemonRefused, match=r"long \(failed\)"):
        daemon.run("needs")


def test_k08_a_run_of_before_a_reboot_is_lost_and_satisfies_nobody(server: StoreServer, new_rig: NewRig,
                                                                   stranger: "subprocess.Popen[bytes]") -> None:
    # given a run that is active in the store, from an earlier boot; pid and start time now belong to another program
    rig = new_rig(server, PROCESSES)
    run = killed_under_a_long_run(rig)
    now = identity_of(stranger.pid)
    assert now is not None
    rewritten(rig, run, boot_id="a boot before this one", pid=now.pid, start_ticks=now.start_ticks)

    # when the daemon starts again
    daemon = rig.daemon().start()

    # then the run is LOST, and who depends on it does not start; who lives under its pid is not touched
    until(lambda: not rig.runs("long")[0]["active"], 10, "the run is settled")
    check_lost(rig, daemon)
    assert is_alive(stranger.pid)

    # but once a person has said that it did its work, they do
    daemon.ask("POST", "/runs/resolve", {"run": run["_id"], "verdict": "finished", "reason": "it is all there"})
    until(lambda: rig.effects("follows", "end"), 15, "its success is followed")
    assert daemon.stop() == 0
    assert is_alive(stranger.pid)
    evidence = rig.evidence()
    assert [sentence for sentence in violations(evidence) if "did not come to its end" not in sentence] == []


def test_k09_a_program_that_has_the_pid_of_a_dead_worker_is_not_taken_for_it(server: StoreServer, new_rig: NewRig,
                                                                              stranger: "subprocess.Popen[bytes]"
                                                                              ) -> None:
    # given a run whose worker had, in this boot, the pid that another program has now; it began at another time
    rig = new_rig(server, PROCESSES)
    run = killed_under_a_long_run(rig)
    now = identity_of(stranger.pid)
    assert now is not None
    assert run["worker"]["boot_id"] == now.boot_id, "the same boot"
    assert run["worker"]["start_ticks"] != now.start_ticks
    rewritten(rig, run, pid=stranger.pid)

    # when the daemon starts again
    daemon = rig.daemon().start()

    # then that program is neither taken for the run nor signalled
    until(lambda: not rig.runs("long")[0]["active"], 10, "the run is settled")
    check_lost(rig, daemon)
    assert _signals(stranger.pid) == (0, True)
    assert daemon.stop() == 0
    assert _signals(stranger.pid) == (0, True)
    assert violations(rig.evidence()) == []


def test_k09_a_program_that_is_the_worker_to_the_last_tick_is_ended(server: StoreServer, new_rig: NewRig,
                                                                    stranger: "subprocess.Popen[bytes]") -> None:
    """That the other tests would notice a signal: with all three equal it is the orphan of a dead daemon."""
    rig = new_rig(server, PROCESSES)
    run = killed_under_a_long_run(rig)
    now = identity_of(stranger.pid)
    assert now is not None
    rig.database.process_runs.update_one({"_id": run["_id"]}, {"$set": {
        "worker.pid": now.pid, "worker.start_ticks": now.start_ticks}})

    daemon = rig.daemon().start()

    until(lambda: not is_alive(stranger.pid), 10, "the orphan is ended")
    check_lost(rig, daemon)
    assert daemon.stop() == 0
    assert violations(rig.evidence()) == []


def _signals(pid: int) -> tuple[int, bool]:
    """Which signals are pending, and whether it lives."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    [pending] = [line for line in lines if line.startswith("ShdPnd:")]
    return int(pending.split()[1], 16), is_alive(pid)
