"""Slots that came while nobody looked: the daemon was down, frozen, or waited to retry. K10, K11, K16, K44."""

import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

from checker import violations
from rig import TTL_S, Daemon, Rig, StoreServer, due_in, job, until

NewRig = Callable[..., Rig]


def test_k10_k11_slots_of_a_time_without_a_daemon_are_caught_up_as_each_process_says(server: StoreServer,
                                                                                      new_rig: NewRig) -> None:
    # given hourly processes, none due within the next half hour, and a daemon that has seen them
    minute = (datetime.now(UTC) + timedelta(minutes=30)).minute
    hourly = {name: job(cron=f"{minute} * * * *", **more) for name, more in {
        "none": {}, "latest": {"catchup": "latest"}, "all": {"catchup": "all"},
        "long_ago": {"catchup": "all", "catchup_max": 10}}.items()}
    rig = new_rig(server, hourly)
    daemon = rig.daemon().start()
    until(lambda: all(rig.state(name) for name in hourly), 10, "each has been looked at")
    assert daemon.stop() == 0

    # when it is started again after three hours, or for one of them three days, of which the store knows nothing
    now = rig.state("none")["evaluated_through"]
    for name in hourly:
        away = timedelta(days=3) if name == "long_ago" else timedelta(hours=3)
        rig.database.process_states.update_one({"_id": name}, {"$set": {"evaluated_through": now - away}})
    daemon = rig.daemon().start()
    until(lambda: len(rig.effects("long_ago", "end")) >= 10 and not rig.state("long_ago")["pending"]
          and len(rig.effects("all", "end")) >= 3 and rig.effects("latest", "end"), 40, "all has been made up for")
    assert daemon.stop() == 0

    # then K10: none runs and each slot is missed; the latest runs for the three; all run in their order
    assert (_bodies(rig, "none"), _outcomes(rig, "none")) == ([], ["MISSED"] * 3)
    assert len(_bodies(rig, "latest")) == 1
    assert _outcomes(rig, "latest") == ["COALESCED"] * 2
    assert all(tick["slot"] < _bodies(rig, "latest")[0] for tick in rig.ticks("latest"))
    assert len(_bodies(rig, "all")) == 3
    assert _bodies(rig, "all") == sorted(_bodies(rig, "all"))
    assert _outcomes(rig, "all") == []

    # and K11: ten run, the oldest within the window of a day first; the rest is missed
    ran = _bodies(rig, "long_ago")
    assert len(ran) == 10
    assert ran == sorted(ran)
    assert datetime.fromisoformat(ran[0]) - (now - timedelta(days=1)) <= timedelta(hours=1)
    assert sum(tick["count"] for tick in rig.ticks("long_ago")) == 72 - 10
    assert {tick["outcome"] for tick in rig.ticks("long_ago")} == {"MISSED"}
    assert all(tick["reason"] for tick in rig.ticks("long_ago"))
    assert violations(rig.evidence()) == []


def test_k16_a_daemon_that_was_frozen_runs_what_came_meanwhile_once(server: StoreServer, new_rig: NewRig) -> None:
    # given a daemon that follows its schedule
    rig = new_rig(server, {"beat": job(every="PT2S", overlap="queue_all", queue_max=100)})
    daemon = rig.daemon().start()
    until(lambda: rig.effects("beat", "end"), 10, "it is at work")
    token = daemon.ask("GET", "/leader")["token"]

    # when it is frozen for longer than its lease
    daemon.signal(signal.SIGSTOP)
    time.sleep(TTL_S + 5)
    frozen = len(rig.effects("beat", "start"))
    daemon.signal(signal.SIGCONT)

    # then it leads again, under a new token, and the slots of that time run once each: they are late within the grace
    until(lambda: len(rig.effects("beat", "end")) >= frozen + 4, 15, "it has made up for it")
    assert daemon.ask("GET", "/leader")["token"] > token
    until(lambda: not rig.state("beat")["pending"], 10, "nothing waits any more")
    assert daemon.stop() == 0
    assert rig.ticks("beat") == []
    assert violations(rig.evidence(), {"beat": 2}) == []


def test_k44_the_pause_before_a_retry_outlives_the_daemon_and_ends_with_the_window(server: StoreServer,
                                                                                   new_rig: NewRig) -> None:
    # given one process that fails once and waits twelve seconds, and one that fails until its window ends
    rig = new_rig(server, {"well": job()})
    daemon = rig.daemon().start()
    opens = datetime.now(UTC) + timedelta(seconds=6)
    closes = opens + timedelta(seconds=24)
    window = {"start": f"{opens:%H:%M:%S}", "stop": f"{closes:%H:%M:%S}"}
    rig.write_processes({
        "waits": due_in(6, arguments={"fail": 1}, max_attempts=3, retry_delay="PT12S"),
        "stubborn": job(every="PT12H", window=window, arguments={"fail": 99}, max_attempts=99, retry_delay="PT1S",
                        retry_factor=1.0)})
    until(lambda: rig.state("waits").get("pending"), 20, "the first attempt has failed")
    [slot] = rig.state("waits")["pending"]

    # when the daemon is killed in that pause and started again
    daemon.kill()
    assert rig.wait_until_gone() == []
    daemon = rig.daemon().start()

    # then the second attempt comes at the time that was stored, not earlier
    assert rig.state("waits")["pending"][0]["not_before"] == slot["not_before"]
    until(lambda: rig.effects("waits", "end"), 20, "the second attempt is done")
    first, second = rig.effects("waits", "start")
    assert (first["attempt"], second["attempt"]) == (1, 2)
    assert timedelta(0) <= _wall(second) - slot["not_before"] < timedelta(seconds=2)

    # and no attempt begins after the end of the window
    time.sleep(max(0.0, (closes - datetime.now(UTC)).total_seconds()) + 3)
    attempts = rig.effects("stubborn", "start")
    assert len(attempts) >= 3
    assert all(_wall(row) < closes.replace(microsecond=0) for row in attempts)
    assert rig.state("stubborn")["pending"] == []
    assert daemon.stop() == 0
    assert violations(rig.evidence()) == []


def test_k17_new_zone_data_moves_the_schedule_of_a_live_daemon_and_no_slot_runs_twice(
        server: StoreServer, new_rig: NewRig, tmp_path: Path) -> None:
    # given a city with the rules of one place, and a job at a fixed time there that has just run
    zones = tmp_path / "zones"
    _install_zone(zones, "Etc/GMT-2")
    in_s = 60 - datetime.now(UTC).second
    due = datetime.now(UTC) + timedelta(seconds=in_s if in_s > 8 else in_s + 60)
    local = due + timedelta(hours=2)
    city = {"timezone": "Test/City"}
    rig = new_rig(server, {
        "fixed": job(cron=f"{local.minute} {local.hour} * * *", **city),
        "later": job(cron=f"{local.minute} {(local.hour + 6) % 24} * * *", **city),
        "elsewhere": job(cron="0 12 * * *", timezone="Etc/GMT-2"), "busy": job(every="PT1S", **city)})
    daemon = rig.daemon(PYTHONTZPATH=f"{zones}:/usr/share/zoneinfo").start()
    until(lambda: rig.effects("fixed", "end"), 75, "the fixed job has run")
    assert _next_slots(daemon)["later"] == _to_the_minute(due + timedelta(hours=6))

    # when a second place is an hour behind the first, and that is the new rule of the city
    _install_zone(zones, "Etc/GMT-1")
    until(lambda: daemon.ask("GET", "/status") and _zone_alerts(daemon), 25, "the change was noticed")

    # then what follows has moved by an hour, what has run does not come again today, and real intervals go on
    [alert] = _zone_alerts(daemon)
    assert "fixed" in alert["text"] or "later" in alert["text"]
    assert "elsewhere" not in alert["text"]
    moved = _to_the_minute(due + timedelta(hours=7))
    until(lambda: _next_slots(daemon)["later"] == moved, 5, "the later one has moved")
    assert _next_slots(daemon)["fixed"] == _to_the_minute(due + timedelta(hours=25))
    seen = len(rig.effects("busy", "end"))
    until(lambda: len(rig.effects("busy", "end")) >= seen + 3, 15, "the busy one goes on")
    assert daemon.stop() == 0
    assert len(rig.effects("fixed", "start")) == 1
    assert violations(rig.evidence()) == []


def _install_zone(folder: Path, rules: str) -> None:
    """Test/City by the rules of another zone, written beside and renamed, as packages are."""
    (folder / "Test").mkdir(parents=True, exist_ok=True)
    newer = folder / "Test" / "City.new"
    newer.write_bytes(resources.files("tzdata.zoneinfo").joinpath(rules).read_bytes())
    newer.replace(folder / "Test" / "City")


def _zone_alerts(daemon: Daemon) -> list[dict[str, Any]]:
    return [alert for alert in daemon.ask("GET", "/alerts")["alerts"] if alert["kind"] == "ZONES_CHANGED"]


def _next_slots(daemon: Daemon) -> dict[str, str]:
    return {row["process"]: str(row["next"])[:16] for row in daemon.ask("GET", "/status")["processes"]}


def _to_the_minute(instant: datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%M}"


def _bodies(rig: Rig, process: str) -> list[str]:
    """The slots that ran, in the order in which they did."""
    return [row["slot"] for row in rig.effects(process, "start")]


def _outcomes(rig: Rig, process: str) -> list[str]:
    return [tick["outcome"] for tick in rig.ticks(process)]


def _wall(row: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(row["wall"])
