"""Side by side with the real Debian cron, while the clocks change: the same minutes. K63.

Both go by fast clocks: libfaketime makes sixty seconds of one, for cron alone ten minutes. The long form runs with the
soak tests.
"""

import os
import random
import secrets
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from checker import violations
from debian_cron import CRON, FAKETIME, DebianCron
from rig import Rig, StoreServer, job, until

from daemon.cron.clock_changes import changes
from daemon.schedule import between

NewRig = Callable[..., Rig]
NewCron = Callable[[dict[str, str], str, datetime, int], DebianCron]
pytestmark = [
    pytest.mark.skipif(not os.environ.get("CI") and (not CRON.exists() or FAKETIME is None),
                       reason="needs Debian's cron and libfaketime (apt-get install cron libfaketime)"),
    pytest.mark.skipif(subprocess.run(["chroot", "/", "true"], capture_output=True, check=False).returncode != 0,
                       reason="cron needs a root folder of its own, and chroot is not permitted here")]
ZONES = ("Europe/London", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Asia/Beirut",
         "Africa/Casablanca", "Pacific/Chatham", "America/Havana")
HAND_PICKED = {"fixed": "30 1 * * *", "list": "15 1,2 * * *", "half": "*/30 * * * *", "range": "45 0-3 * * *",
               "two": "0,30 1 * * *", "hour": "10 * * * *", "days": "0 2 * * 0", "starred": "30 */2 * * *"}


def random_lines(dice: random.Random, count: int) -> dict[str, str]:
    """Expressions that Debian and we both accept, most of them due in the first hours of a day."""
    def minute() -> str:
        return dice.choice([str(dice.randrange(60)), f"*/{dice.choice([7, 15, 20, 45])}",
                            f"{dice.randrange(30)},{dice.randrange(30, 60)}", f"{dice.randrange(20)}-40/10"])

    def hour() -> str:
        some = dice.randrange(3)
        return dice.choice([str(dice.randrange(5)), "*", "*/2", f"{some}-3", f"{some},4", "1"])

    return {f"any{number}": f"{minute()} {hour()} * * {dice.choice(['*', '*', '0', '0,6', '1-5'])}"
            for number in range(count)}


@pytest.fixture
def new_cron(tmp_path: Path) -> Iterator[NewCron]:
    """Start crons; none outlives the test."""
    crons: list[DebianCron] = []

    def start(lines: dict[str, str], zone: str, begin: datetime, rate: int) -> DebianCron:
        crons.append(DebianCron(tmp_path / f"cron{len(crons)}", lines, zone, begin, rate))
        return crons[-1]

    yield start
    for cron in crons:
        cron.stop()


def around_changes(zone: str, year: int, hours: float) -> list[datetime]:
    """So long before each change of the clock in that year that it lies in the middle of `hours`."""
    found = changes(ZoneInfo(zone), datetime(year, 1, 1, tzinfo=UTC), datetime(year, 12, 31, tzinfo=UTC))
    return [change.instant - timedelta(hours=hours / 2, seconds=30) for change in found]


@pytest.mark.parametrize(("zones", "count", "hours", "rate"), [
    (("Europe/London",), 6, 7, 400), pytest.param(ZONES, 12, 8, 240, marks=pytest.mark.soak)])
def test_our_evaluator_names_the_minutes_in_which_debians_cron_runs(
        new_cron: NewCron, zones: tuple[str, ...], count: int, hours: float, rate: int,
        capsys: pytest.CaptureFixture[str]) -> None:
    seed = int(os.environ.get("CHAOS_SEED") or (63 if len(zones) == 1 else secrets.randbelow(1_000_000)))
    with capsys.disabled():
        print(f"\nCHAOS_SEED={seed}")
    dice, compared = random.Random(seed), 0
    for zone in zones:
        # given cron at work through each change of a year's clocks
        starts = around_changes(zone, dice.choice([2023, 2024, 2025, 2026]), hours)
        lines = HAND_PICKED | random_lines(dice, count)
        crons = [new_cron(lines, zone, start, rate) for start in starts]
        time.sleep(hours * 3600 / rate)
        for cron, start in zip(crons, starts, strict=True):
            # when it has run for some hours
            end = start + timedelta(hours=hours, minutes=-3)
            ran = cron.end()

            # then each line ran in exactly the minutes that we name
            for tag, expression in lines.items():
                ours = [fire.instant for fire in between(expression, ZoneInfo(zone), start, end)]
                theirs = sorted(minute for minute in ran[tag] if minute <= end)
                assert theirs == ours, f"{expression} in {zone} from {start}"
                compared += len(ours)
    with capsys.disabled():
        print(f"{compared:,} firings compared")
    assert compared > 100


@pytest.mark.parametrize("minutes", [130, pytest.param(25 * 60, marks=pytest.mark.soak)])
def test_k63_the_daemon_runs_each_minute_of_the_night_in_which_clocks_go_back_as_cron_does(
        minutes: int, server: StoreServer, new_rig: NewRig, new_cron: NewCron) -> None:
    # given cron and the daemon, both in London, before its clocks go back, on clocks sixty times as fast
    rate, start = 60, datetime(2026, 10, 25, 1, tzinfo=UTC) - timedelta(minutes=minutes / 2, seconds=30)
    local = start.astimezone(ZoneInfo("Europe/London"))
    assert local.replace(fold=0).utcoffset() == local.replace(fold=1).utcoffset(), "the start names one moment"
    lines = {"each": "* * * * *", "fixed": "30 1 * * *", "quarter": "*/15 * * * *", "hour": "10 * * * *"}
    rig = new_rig(server, {name: job(cron=cron, timezone="Europe/London", misfire_grace="PT30M", overlap="queue_all",
                                     queue_max=99) for name, cron in lines.items()})
    assert FAKETIME is not None
    fast = {"LD_PRELOAD": str(FAKETIME.with_name("libfaketimeMT.so.1")), "TZ": "UTC",
            "FAKETIME": f"@{start:%Y-%m-%d %H:%M:%S} x{rate}", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    daemon = rig.daemon(**fast).start()
    until(lambda: all(rig.state(name) for name in lines), 20, "each has been looked at")
    began = max(rig.state(name)["evaluated_through"] for name in lines)
    cron = new_cron(lines, "Europe/London", start, rate)

    # when the night is over for both
    end = start + timedelta(minutes=minutes)
    until(lambda: rig.effects("each", "end")[-1:] and rig.effects("each", "end")[-1]["slot"] > _key(end),
          minutes * 60 / rate * 1.3 + 30, "the night is over for the daemon")
    time.sleep(5)
    ran = cron.end()
    assert daemon.stop() == 0

    # then each job ran in the minutes in which cron ran it, each once, the hour that comes twice included; a minute is
    # a second here, and one in which a busy machine let cron run nothing at all says nothing
    awake = {_key(minute) for minute in ran["each"]}
    assert len(awake) >= minutes * 0.85
    for name in lines:
        bodies = [row["slot"] for row in rig.effects(name, "start")]
        assert len(bodies) == len(set(bodies))
        ours = [slot for slot in bodies if _key(began) < slot <= _key(end) and slot in awake]
        assert ours == [_key(minute) for minute in sorted(ran[name]) if began < minute <= end], name
    assert len(rig.effects("each", "start")) >= minutes - 15
    assert len(rig.effects("fixed", "start")) == 1
    assert violations(rig.evidence()) == []


def _key(instant: datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"
