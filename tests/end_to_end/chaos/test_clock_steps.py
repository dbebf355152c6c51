"""The machine's clock is set, forward and back, under a live daemon. K12 to K15, K25.

libfaketime sits between the daemon and its clocks; the store keeps the real time. What the library shows is read from a
file once a second, so that the clock steps while the daemon runs; at every look, its threads would wait for each other.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from checker import violations
from rig import JOBS, TTL_S, Daemon, Rig, StoreServer, job, until

NewRig = Callable[..., Rig]
SOUND_SLEEP = Path(__file__).parent / "sound_sleep"
SEEN_WITHIN_S = 2.5  # a clock that was set, by every process
_LIBRARY = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))), None)
pytestmark = pytest.mark.skipif(_LIBRARY is None and not os.environ.get("CI"),
                                reason="libfaketime is not installed (Debian: apt-get install libfaketime)")


def forget_the_dead() -> None:
    """Remove what killed processes left of the library's shared memory: it stops a later one of the same number."""
    for left in Path("/dev/shm").glob("*faketime_s*_*"):
        if not Path(f"/proc/{left.name.rpartition('_')[2]}").exists():
            left.unlink(missing_ok=True)


class SetClock:
    """A clock that can be set, for any daemon that is started with its environment."""

    def __init__(self, folder: Path, offset: str = "+0") -> None:
        assert _LIBRARY is not None, "libfaketime is needed (Debian: apt-get install libfaketime)"
        forget_the_dead()
        self._file = folder / "clock"
        self.set(offset)
        path = os.pathsep.join(filter(None, (str(SOUND_SLEEP), str(JOBS), os.environ.get("PYTHONPATH"))))
        self.environment = {"LD_PRELOAD": str(_LIBRARY), "FAKETIME_TIMESTAMP_FILE": str(self._file), "PYTHONPATH": path,
                            "FAKETIME_CACHE_DURATION": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}

    def set(self, offset: str) -> None:
        """So far from the real time, as in +1h; everybody sees it within SEEN_WITHIN_S."""
        newer = self._file.with_suffix(".new")
        newer.write_text(f"{offset}\n")
        newer.replace(self._file)


def alerts_of(daemon: Daemon, kind: str) -> list[dict[str, Any]]:
    return [alert for alert in daemon.ask("GET", "/alerts")["alerts"] if alert["kind"] == kind]


def jumped(daemon: Daemon) -> bool:
    return bool(alerts_of(daemon, "CLOCK_JUMPED"))


def test_k12_a_clock_set_forward_makes_slots_late_and_nothing_runs_in_a_burst(server: StoreServer, new_rig: NewRig,
                                                                              tmp_path: Path) -> None:
    # given a job that makes up for nothing, one for the latest, one for all, and a busy one
    clock = SetClock(tmp_path)
    rig = new_rig(server, {
        "none": job(cron="*/10 * * * *"), "latest": job(cron="*/10 * * * *", catchup="latest"),
        "all": job(cron="*/10 * * * *", catchup="all", catchup_max=4), "minute": job(cron="* * * * *"),
        "busy": job(every="PT1S")})
    daemon = rig.daemon(**clock.environment).start()
    until(lambda: all(rig.state(name) for name in ("none", "latest", "all")), 10, "each has been looked at")
    until(lambda: rig.effects("busy", "end"), 10, "it is at work")
    before = {name: len(rig.effects(name, "start")) for name in ("none", "latest", "all", "minute")}
    was = datetime.now(UTC)

    # when the clock is set forward by an hour, right behind a slot
    clock.set("+1h")
    until(lambda: jumped(daemon), 10, "it has seen the step")
    until(lambda: len(rig.effects("all", "end")) >= before["all"] + 4, 20, "all has been made up for")
    until(lambda: rig.effects("busy", "end")[-1]["slot"] > f"{was + timedelta(minutes=59):%Y-%m-%dT%H:%M}", 10,
          "the busy one goes on")
    assert daemon.stop() == 0

    # then what was missed is missed, made up for once, or as often as is allowed; a slot each minute is no burst
    ran = {name: len(rig.effects(name, "start")) - before[name] for name in before}
    assert ran["none"] <= 1
    assert 1 <= ran["latest"] <= 2
    assert 4 <= ran["all"] <= 5
    assert ran["minute"] <= 2
    assert sum(tick["count"] for tick in rig.ticks("minute") if tick["outcome"] == "MISSED") >= 57
    assert rig.database.alerts.count_documents({"kind": "CLOCK_JUMPED"}) == 1
    assert rig.database.alerts.count_documents({"kind": "STUCK"}) == 0
    assert violations(rig.evidence()) == []


def test_k13_a_clock_set_back_repeats_nothing_and_the_schedule_waits_for_it(server: StoreServer, new_rig: NewRig,
                                                                            tmp_path: Path) -> None:
    # given a busy daemon
    clock = SetClock(tmp_path)
    rig = new_rig(server, {"busy": job(every="PT1S"), "asked": job()})
    daemon = rig.daemon(**clock.environment).start()
    until(lambda: len(rig.effects("busy", "end")) >= 2, 10, "it is at work")

    # when the clock is set back by an hour
    clock.set("-1h")
    until(lambda: jumped(daemon), 10, "it has seen the step")
    time.sleep(1.5)
    ran = len(rig.effects("busy", "start"))
    time.sleep(4)

    # then nothing runs again, the status says why, and an operator's run is not refused
    assert len(rig.effects("busy", "start")) == ran
    assert "was set back; nothing is due until" in daemon.ask("GET", "/status")["clock_problem"]
    daemon.run("asked")
    until(lambda: rig.effects("asked", "end"), 10, "the run that was asked for")

    # when it is right again, then it goes on by itself
    clock.set("+0")
    until(lambda: len(rig.effects("busy", "end")) >= ran + 2, 15, "it goes on")
    assert daemon.ask("GET", "/status")["clock_problem"] == ""

    # when it is set back once more and somebody says that it is right, then it goes on from there; no slot runs twice
    clock.set("-30m")
    until(lambda: daemon.ask("GET", "/status")["clock_problem"], 10, "it waits again")
    daemon.ask("POST", "/clock/accept", {"reason": "the clock was an hour ahead", "rewind": True})
    ran = len(rig.effects("busy", "end"))
    until(lambda: len(rig.effects("busy", "end")) >= ran + 2, 15, "it goes on from the earlier time")
    assert daemon.stop() == 0
    slots = [row["slot"] for row in rig.effects("busy", "start")]
    assert len(slots) == len(set(slots))


def test_k14_a_clock_that_is_400_days_ahead_starts_nothing_until_somebody_has_looked(
        server: StoreServer, new_rig: NewRig, tmp_path: Path) -> None:
    # given a daemon whose jobs come and go all the time, so that decisions are made at any moment
    clock = SetClock(tmp_path)
    rig = new_rig(server, {f"busy{number}": job(every="PT1S", catchup="latest") for number in range(6)})
    daemon = rig.daemon(**clock.environment).start()
    until(lambda: len(rig.effects(phase="end")) >= 12, 15, "it is at work")

    # when the clock jumps by 400 days
    clock.set("+400d")
    until(lambda: daemon.ask("GET", "/status")["held"], 10, "the schedule is held")
    until(lambda: all(row["state"] != "RUNNING" for row in daemon.ask("GET", "/status")["processes"]), 15,
          "what was claimed before has ended")
    ran = len(rig.effects(phase="start"))
    time.sleep(3)

    # then not one slot of those days was decided, and people are told
    assert len(rig.effects(phase="start")) == ran
    next_year = f"{datetime.now(UTC) + timedelta(days=30):%Y-%m-%dT}"
    assert [row for row in rig.effects() if row["slot"] > next_year] == []
    assert all(rig.state(f"busy{number}")["evaluated_through"] < datetime.now(UTC) + timedelta(hours=1)
               for number in range(6))
    assert "400" in daemon.ask("GET", "/status")["held"] or "9,600" in daemon.ask("GET", "/status")["held"]
    assert alerts_of(daemon, "SCHEDULE_HELD")

    # when the daemon is restarted, then it is still held; not, once the clock is right and somebody has said so
    daemon.kill()
    daemon = rig.daemon(**clock.environment).start()
    assert "clock jumped" in daemon.ask("GET", "/status")["held"]
    clock.set("+0")
    time.sleep(SEEN_WITHIN_S)
    daemon.ask("POST", "/clock/accept", {"reason": "the time server was wrong"})
    until(lambda: len(rig.effects(phase="end")) >= ran + 12, 15, "it goes on")
    assert daemon.stop() == 0
    assert violations(rig.evidence()) == []


def test_k15_a_machine_that_slept_for_twenty_minutes_makes_slots_late_and_no_clock_has_jumped(
        server: StoreServer, new_rig: NewRig, tmp_path: Path) -> None:
    # given a daemon whose monotonic clocks go with the wall's, as they do in a sleep
    clock = SetClock(tmp_path)
    rig = new_rig(server, {"none": job(cron="*/5 * * * *"), "latest": job(cron="*/5 * * * *", catchup="latest"),
                           "busy": job(every="PT2S")})
    del clock.environment["FAKETIME_DONT_FAKE_MONOTONIC"]
    daemon = rig.daemon(**clock.environment).start()
    until(lambda: rig.effects("busy", "end") and rig.state("latest"), 15, "it is at work")
    before = {name: len(rig.effects(name, "start")) for name in ("none", "latest")}

    # when twenty minutes pass at once
    clock.set("+20m")
    awake = f"{datetime.now(UTC) + timedelta(minutes=19):%Y-%m-%dT%H:%M}"
    until(lambda: [row for row in rig.effects("busy", "end") if row["slot"] > awake], 25, "it goes on")
    until(lambda: len(rig.effects("latest", "end")) > before["latest"], 15, "the latest slot is made up for")
    assert daemon.stop() == 0

    # then the ordinary rules held, and nobody was told of a clock
    assert len(rig.effects("none", "start")) - before["none"] <= 1
    assert 1 <= len(rig.effects("latest", "start")) - before["latest"] <= 2
    assert sum(tick["count"] for tick in rig.ticks("none") if tick["outcome"] == "MISSED") >= 3
    assert rig.database.alerts.count_documents({"kind": "CLOCK_JUMPED"}) == 0
    assert violations(rig.evidence()) == []


def test_k25_clocks_that_differ_by_five_minutes_do_not_matter_to_who_leads(server: StoreServer, new_rig: NewRig,
                                                                          tmp_path: Path) -> None:
    # given a leader, and a standby whose clock is five minutes ahead
    rig = new_rig(server, {"busy": job(every="PT1S")})
    leader = rig.daemon("a").start()
    ahead = SetClock(tmp_path, "+5m")
    standby = rig.daemon("b", **ahead.environment).start("standby")
    token = leader.ask("GET", "/leader")["token"]

    # when two leases have passed, then the leader still leads
    time.sleep(2 * TTL_S)
    assert standby.phase() == "standby"
    assert leader.ask("GET", "/leader")["token"] == token

    # when the leader is killed, then the standby leads within a lease, and its clock makes no slot run twice
    leader.kill()
    standby.wait_for("running", 15)
    assert standby.ask("GET", "/leader")["token"] > token
    until(lambda: [row for row in rig.effects("busy", "end") if row["fence"] > token], 15, "the standby is at work")

    # when the other comes back, five minutes behind, then it stands by just as long as the lease is renewed
    behind = rig.daemon("a").start("standby")
    time.sleep(2 * TTL_S)
    assert behind.phase() == "standby"
    standby.kill()
    behind.wait_for("running", 15)
    assert behind.stop() == 0
    slots = [row["slot"] for row in rig.effects("busy", "start")]
    assert len(slots) == len(set(slots))


def test_the_clock_of_these_tests_steps_under_a_running_process(tmp_path: Path) -> None:
    """Otherwise the tests above would show nothing."""
    clock = SetClock(tmp_path)
    words = ("import sys, time\nfor _ in range(2):\n  print(time.time(), time.monotonic(), flush=True)\n"
             "  sys.stdin.readline()")
    python = shutil.which("python3")
    assert python is not None
    with subprocess.Popen([python, "-c", words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                          env=os.environ | clock.environment) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        first = [float(word) for word in process.stdout.readline().split()]
        clock.set("+1h")
        time.sleep(SEEN_WITHIN_S)
        process.stdin.write("\n\n")
        process.stdin.flush()
        second = [float(word) for word in process.stdout.readline().split()]
    assert 3599 < second[0] - first[0] < 3605
    assert second[1] - first[1] < 5
