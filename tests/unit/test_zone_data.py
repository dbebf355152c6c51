"""The rules of a time zone change, under a live service or between two lives: no slot runs twice, none disappears."""

import asyncio
import zoneinfo
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from daemon.clocks.zone_watch import Zones, ZoneWatch
from daemon.decisions.slot_decisions import Evaluation, evaluate, next_look
from daemon.decisions.slot_facts import SlotFacts
from trading.control.due_slot import SlotOutcome
from trading.control.process_control import ProcessControl
from trading.process_config import ProcessConfig

CITY = "Test/City"
NINE = datetime(2026, 6, 1, 9, tzinfo=UTC)


def rules_of(zone: str) -> ZoneInfo:
    """Our city, by the rules of another place."""
    with resources.files("tzdata.zoneinfo").joinpath(zone).open("rb") as file:
        return ZoneInfo.from_file(file, key=CITY)


def facts(cron: str, zone: ZoneInfo, now: datetime, control: ProcessControl | None = None, **more: object) -> SlotFacts:
    process = ProcessConfig.model_validate({"cron": cron, "timeout": 60, "misfire_grace": 7200, **more})
    return SlotFacts(name="job", process=process, zone=zone, calendar=None, now=now,
                     control=control or ProcessControl(name="job"), trading_day=lambda at: at.date().isoformat())


def after_its_run(decided: Evaluation) -> ProcessControl:
    return replace(decided.control, pending=())


LONDON, PARIS, UTC_RULES = "Europe/London", "Europe/Paris", "Etc/UTC"  # +1, +2 and 0 in June


def test_a_time_that_has_run_does_not_come_again_when_the_new_rules_put_the_local_clock_back() -> None:
    # given a job at noon that ran by the rules of Paris, 10:00 UTC
    began = evaluate(facts("0 12 * * *", rules_of(PARIS), NINE))
    ran = evaluate(facts("0 12 * * *", rules_of(PARIS), NINE + timedelta(hours=1), began.control))
    assert [slot.key for slot in ran.control.pending] == ["2026-06-01T10:00:00Z"]

    # when noon is an hour later by the new rules, then today's noon has been
    for at in (timedelta(hours=1, minutes=10), timedelta(hours=2), timedelta(hours=5)):
        again = evaluate(facts("0 12 * * *", rules_of(LONDON), NINE + at, after_its_run(ran)))
        assert (again.control.pending, again.ticks) == ((), ())

    # and tomorrow's comes by the new ones, once
    look = next_look(facts("0 12 * * *", rules_of(LONDON), NINE + timedelta(hours=1, minutes=10), after_its_run(ran)))
    assert look.slot == datetime(2026, 6, 2, 11, tzinfo=UTC)
    tomorrow = evaluate(facts("0 12 * * *", rules_of(LONDON), NINE + timedelta(hours=26), after_its_run(ran)))
    assert [slot.key for slot in tomorrow.control.pending] == ["2026-06-02T11:00:00Z"]
    later = evaluate(facts("0 12 * * *", rules_of(LONDON), NINE + timedelta(hours=28), after_its_run(tomorrow)))
    assert later.control.pending == ()


def test_a_time_that_the_new_rules_jump_over_is_late_and_not_forgotten() -> None:
    # given a job at noon, looked at shortly before that by the rules of London: 11:00 UTC
    began = evaluate(facts("0 12 * * *", rules_of(LONDON), NINE + timedelta(hours=1, minutes=30)))

    # when it is past noon by the new rules, then the slot is late, by them
    moved = evaluate(facts("0 12 * * *", rules_of(PARIS), NINE + timedelta(hours=1, minutes=31), began.control))
    assert [slot.key for slot in moved.control.pending] == ["2026-06-01T10:00:00Z"]

    # and does not come again
    again = evaluate(facts("0 12 * * *", rules_of(PARIS), NINE + timedelta(hours=8), after_its_run(moved)))
    assert (again.control.pending, again.ticks) == ((), ())

    # and when that is beyond its grace, it is missed
    missed = evaluate(facts("0 12 * * *", rules_of(PARIS), NINE + timedelta(hours=1, minutes=31), began.control,
                            misfire_grace=60))
    assert [(tick.slot, tick.outcome) for tick in missed.ticks] == [("2026-06-01T10:00:00Z", SlotOutcome.MISSED)]


@pytest.mark.parametrize(("old", "new"), [(PARIS, LONDON), (LONDON, PARIS), (PARIS, UTC_RULES), (UTC_RULES, PARIS)])
def test_a_job_of_real_intervals_goes_on_as_if_nothing_had_happened(old: str, new: str) -> None:
    control = evaluate(facts("*/20 * * * *", rules_of(old), NINE)).control
    slots = []
    for step in range(1, 19):
        rules = rules_of(old if step < 10 else new)
        decided = evaluate(facts("*/20 * * * *", rules, NINE + timedelta(minutes=10 * step), control))
        slots += [slot.due for slot in decided.control.pending]
        assert decided.ticks == ()
        control = after_its_run(decided)
    assert slots == [NINE + timedelta(minutes=20 * number) for number in range(1, 10)]


# --- the files ------------------------------------------------------------------------------------------------


@pytest.fixture
def zone_files(tmp_path: Path) -> Iterator[Path]:
    """A folder with the rules of our city, which is the only one that zones are read from."""
    before = zoneinfo.TZPATH
    (tmp_path / "Test").mkdir()
    install(tmp_path, PARIS)
    zoneinfo.reset_tzpath([str(tmp_path)])
    ZoneInfo.clear_cache()
    yield tmp_path
    zoneinfo.reset_tzpath(before)
    ZoneInfo.clear_cache()


def install(folder: Path, zone: str) -> None:
    """As a package manager does: written beside, then renamed."""
    newer = folder / "Test" / "City.new"
    newer.write_bytes(resources.files("tzdata.zoneinfo").joinpath(zone).read_bytes())
    newer.replace(folder / "Test" / "City")


def test_new_files_are_noticed_once_and_half_an_update_is_waited_for(zone_files: Path) -> None:
    told: list[tuple[timedelta | None, timedelta | None]] = []

    async def changed(old: Zones) -> None:
        told.append((NINE.astimezone(old[CITY]).utcoffset(), NINE.astimezone(ZoneInfo(CITY)).utcoffset()))

    async def story() -> None:
        watch = ZoneWatch(lambda: [CITY], changed, look_every_s=0)
        running = asyncio.ensure_future(watch.run())
        await asyncio.sleep(0)
        running.cancel()
        await watch.look()
        assert told == []
        file = zone_files / "Test" / "City"
        file.unlink()
        await watch.look()
        file.write_bytes(b"TZif, half of it")
        await watch.look()
        assert told == []
        install(zone_files, LONDON)
        await watch.look()
        await watch.look()

    asyncio.run(story())
    assert told == [(timedelta(hours=2), timedelta(hours=1))]
