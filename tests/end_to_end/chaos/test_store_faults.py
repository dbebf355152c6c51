"""The store is frozen, killed, or absent: nothing starts unconfirmed, nothing acknowledged is lost. K26, K27, K29."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from checker import violations
from rig import TTL_S, Rig, StoreServer, children_of, is_alive, job, until

from daemon.children.hang_watch import HANGS_AFTER_S

NewRig = Callable[..., Rig]


def test_k26_a_frozen_store_stops_starts_and_nothing_else(own_server: StoreServer, new_rig: NewRig) -> None:
    # given a schedule at work, and a long run
    rig = new_rig(own_server, {"beat": job(every="PT1S"), "long": job(arguments={"seconds": 17})})
    daemon = rig.daemon().start()
    long = daemon.run("long")["run"]
    until(lambda: rig.effects("beat", "end") and rig.effects("long", "start"), 10, "it is at work")

    # when the store does not answer for half a lease, a whole one, and three
    for leases in (0.5, 1.0, 3.0):
        own_server.signal(signal.SIGSTOP)
        frozen_s = time.monotonic()
        time.sleep(leases * TTL_S)
        thawed_s = time.monotonic()
        own_server.signal(signal.SIGCONT)
        seen = len(rig.effects("beat", "end"))
        until(lambda seen=seen: len(rig.effects("beat", "end")) > seen + 1, 15, f"it goes on after {leases} leases")  # type: ignore[misc]

        # then no body began meanwhile (one that was claimed before may have), and the daemon lives
        begun = [row for row in rig.effects("beat", "start") if frozen_s + 0.5 < row["monotonic"] < thawed_s]
        assert begun == []
        assert daemon.is_alive()

    # and the long run was not touched
    until(lambda: rig.effects("long", "end"), 25, "the long run ends by itself")
    until(lambda: not rig.runs("long")[0]["active"], 10, "its end is written")
    assert (rig.runs("long")[0]["_id"], rig.runs("long")[0]["state"]) == (long, "FINISHED")
    assert daemon.stop() == 0
    assert violations(rig.evidence(), {"beat": 1}) == []


def test_k27_a_store_that_is_killed_again_and_again_under_load_loses_nothing(own_server: StoreServer,
                                                                              new_rig: NewRig) -> None:
    # given ten processes that are due every second
    names = [f"beat{number}" for number in range(10)]
    rig = new_rig(own_server, {name: job(every="PT1S", overlap="queue_all", queue_max=100) for name in names})
    daemon = rig.daemon().start()
    until(lambda: len(rig.effects(phase="end")) > 10, 15, "all are at work")

    # when the store is killed five times
    for _ in range(5):
        own_server.kill()
        seen = len(rig.effects(phase="end"))
        own_server.start()
        until(lambda seen=seen: len(rig.effects(phase="end")) > seen + 2, 20, "the schedule goes on")  # type: ignore[misc]

    # then every slot has one outcome, and nothing is told that did not happen
    assert daemon.is_alive()
    assert daemon.stop() == 0
    assert violations(rig.evidence(), dict.fromkeys(names, 1)) == []


def test_k29_a_daemon_waits_for_a_store_that_comes_late(own_server: StoreServer, new_rig: NewRig) -> None:
    rig = new_rig(own_server, {"beat": job(every="PT1S")})
    own_server.kill()
    daemon = rig.daemon().begin()
    until(lambda: "store_not_reached" in daemon.words(), 20, "it says that it waits")
    assert daemon.phase() == ""

    own_server.start()

    daemon.wait_for("running")
    until(lambda: rig.effects("beat", "end"), 10, "the schedule runs")
    assert daemon.stop() == 0


def test_k29_a_daemon_without_a_store_gives_up_with_a_sentence(own_server: StoreServer, new_rig: NewRig,
                                                               tmp_path: Path) -> None:
    rig = new_rig(own_server, {}, mongo={"uri": "mongodb://127.0.0.1:1/", "database": "nowhere", "timeout_s": 1,
                                         "connect_limit_s": 2})

    daemon = rig.daemon().begin()

    assert daemon.wait(20) == 75
    assert "MongoDB at 127.0.0.1:1 does not answer" in daemon.words()
    assert "Gave up after 2 s." in daemon.words()
    assert daemon.words().count("store_not_reached") < 10


def test_k54_a_daemon_whose_store_is_gone_for_good_still_stops(own_server: StoreServer, new_rig: NewRig) -> None:
    # given ten runs, and a store that never comes back
    names = [f"polite{number}" for number in range(10)]
    impatient = {"uri": own_server.uri, "database": "chaos_gone", "timeout_s": 1, "connect_limit_s": 20}
    rig = new_rig(own_server, {name: job("polite", grace="PT2S") for name in names}, mongo=impatient)
    daemon = rig.daemon().start()
    for name in names:
        daemon.run(name)
    until(lambda: len(rig.effects(phase="start")) == len(names), 15, "all are at work")
    own_server.kill()

    # when it is asked to stop
    daemon.signal(signal.SIGTERM)

    # then it tells its jobs at once, and ends, although nothing of that can be written
    until(lambda: len(rig.effects(phase="end")) == len(names), 10, "all have stopped")
    assert daemon.wait(45) == 0
    assert rig.wait_until_gone() == []


@pytest.mark.soak
def test_k27_a_store_that_is_killed_twenty_times(own_server: StoreServer, new_rig: NewRig) -> None:
    rig = new_rig(own_server, {"beat": job(every="PT1S", overlap="queue_all", queue_max=100)})
    daemon = rig.daemon().start()
    for _ in range(20):
        own_server.kill()
        own_server.start()
        seen = len(rig.effects(phase="end"))
        until(lambda seen=seen: len(rig.effects(phase="end")) > seen + 2, 30, "the schedule goes on")  # type: ignore[misc]
    assert daemon.stop() == 0
    assert violations(rig.evidence(), {"beat": 1}) == []


def test_an_embedded_store_that_lives_and_answers_nobody_is_started_again(server: StoreServer,
                                                                          new_rig: NewRig) -> None:
    # given a daemon with a store of its own
    rig = new_rig(server, {"beat": job(every="PT1S")}, mongo={"timeout_s": 2})
    daemon = rig.daemon().start()
    until(lambda: len(rig.effects("beat", "end")) >= 2, 15, "it is at work")
    [store] = [pid for pid, words in children_of(daemon.pid) if "secantusd" in words]

    # when that store stops for good, as a dead lock would make it, then it is killed within a minute and a bit
    os.kill(store, signal.SIGSTOP)
    until(lambda: not is_alive(store), HANGS_AFTER_S + 20, "it was killed")
    seen = len(rig.effects("beat", "end"))
    until(lambda: len(rig.effects("beat", "end")) > seen + 3, 40, "the schedule goes on")
    assert daemon.stop() == 0
    runs = [row["run"] for row in rig.effects("beat", "start")]
    assert len(runs) == len(set(runs))
