"""Asked to stop while it starts or reloads: it ends with code 0, leaves nothing behind, mixes no generations. K54."""

import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from checker import violations
from rig import Daemon, Rig, StoreServer, children_of, job, until

NewRig = Callable[..., Rig]
OLD, NEW = {"old": job(every="PT1S")}, {"new": job(every="PT1S")}


def is_frozen(daemon: Daemon) -> bool:
    stat = Path(f"/proc/{daemon.pid}/stat").read_text()
    return stat[stat.rindex(")") + 2] == "T"


def zygote_is_there(daemon: Daemon) -> bool:
    """One of the first things that a start does."""
    return any("daemon.children.zygote" in words for _, words in children_of(daemon.pid))


def check_gone(rig: Rig, daemon: Daemon, within_s: float) -> None:
    assert daemon.wait(within_s) == 0, daemon.words()
    assert rig.wait_until_gone() == []
    assert not daemon.socket.exists()


def test_k54_asked_to_stop_while_it_waits_for_the_store_it_ends_well(own_server: StoreServer, new_rig: NewRig) -> None:
    # given a start that finds no store
    rig = new_rig(own_server, OLD)
    own_server.kill()
    daemon = rig.daemon().begin()
    until(lambda: "store_not_reached" in daemon.words(), 20, "it says that it waits")

    daemon.signal(signal.SIGTERM)

    check_gone(rig, daemon, 20)


def test_k54_asked_to_stop_while_a_frozen_store_does_not_answer_its_start_it_ends_well(own_server: StoreServer,
                                                                                       new_rig: NewRig) -> None:
    # given a start that waits for the answer of a store
    rig = new_rig(own_server, OLD)
    own_server.signal(signal.SIGSTOP)
    daemon = rig.daemon().begin()
    until(lambda: zygote_is_there(daemon), 20, "it starts")
    time.sleep(0.5)

    daemon.signal(signal.SIGTERM)

    check_gone(rig, daemon, 30)


@pytest.mark.parametrize("delay_s", [0.0, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.5])
def test_k54_asked_to_stop_at_any_moment_of_a_start_on_changed_files_it_ends_well(server: StoreServer, new_rig: NewRig,
                                                                                  delay_s: float) -> None:
    # given a service whose files were edited while it was away
    rig = new_rig(server, OLD)
    before = at_work_and_stopped(rig)
    rig.write_processes(NEW)
    daemon = rig.daemon("a").begin()
    until(lambda: zygote_is_there(daemon), 20, "it starts")
    time.sleep(delay_s)

    # when it is asked to stop
    daemon.signal(signal.SIGTERM)

    # then it ends, and the next one uses the new generation as a whole
    check_gone(rig, daemon, 30)
    check_next_start(rig, before)


def test_k54_asked_to_stop_in_the_middle_of_a_reload_it_mixes_nothing(server: StoreServer, new_rig: NewRig) -> None:
    # given a reload that is stopped exactly where the new generation is recorded and not in use
    rig = new_rig(server, OLD)
    before = at_work_and_stopped(rig)
    seen = len(rig.effects("old", "end"))
    daemon = rig.daemon("a", TRADINGD_FREEZE_AT="MID_RELOAD").start()
    until(lambda: len(rig.effects("old", "end")) > seen, 15, "it is at work")
    rig.write_processes(NEW)
    until(lambda: is_frozen(daemon), 30, "it is in the middle of the reload")

    # when it is asked to stop there
    daemon.signal(signal.SIGTERM)
    daemon.signal(signal.SIGCONT)

    # then it ends, and the next one uses the new generation as a whole
    check_gone(rig, daemon, 30)
    check_next_start(rig, before)


def at_work_and_stopped(rig: Rig) -> int:
    """The generation under which it worked."""
    daemon = rig.daemon("a").start()
    until(lambda: rig.effects("old", "end"), 15, "it is at work")
    before = int(daemon.ask("GET", "/status")["generation"])
    assert daemon.stop() == 0
    return before


def check_next_start(rig: Rig, before: int) -> None:
    """Only what the new files say runs, and nothing of the old ones ran after it."""
    last = rig.daemon("a").start()
    until(lambda: len(rig.effects("new", "end")) >= 2, 15, "the new files are in use")
    answered = last.ask("GET", "/status")
    assert answered["generation"] == before + 1
    assert {row["process"] for row in answered["processes"]} == {"new"}
    assert last.stop() == 0
    assert max(run["created"] for run in rig.runs("old")) < min(run["created"] for run in rig.runs("new"))
    assert violations(rig.evidence(), {"new": 1}) == []
