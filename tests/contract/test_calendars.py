"""Calendars from outside: files of holidays, and exchanges through the child process and its cache."""

import json
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from daemon.cron.business_days import WEEKDAYS, BusinessDays
from daemon.cron.calendars import calendar_alert, calendar_error, load_calendars
from trading.errors import ConfigError
from trading.process_config import CalendarConfig

TODAY = date(2026, 11, 24)
XLON = {"xlon": CalendarConfig(exchange="XLON")}


def holidays(folder: Path, text: str, **settings: object) -> dict[str, CalendarConfig]:
    (folder / "holidays.txt").write_text(text)
    return {"ours": CalendarConfig.model_validate({"holidays": "holidays.txt", **settings})}


def test_weekdays_are_always_there(tmp_path: Path) -> None:
    assert load_calendars({}, tmp_path, tmp_path) == {"weekdays": WEEKDAYS}


def test_the_name_of_the_built_in_calendar_is_taken(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="give yours another name"):
        load_calendars({"weekdays": CalendarConfig(holidays="x")}, tmp_path, tmp_path)


def test_a_file_holds_one_date_a_line_with_words_behind_a_hash(tmp_path: Path) -> None:
    text = "# bank holidays\n\n2026-12-25   # Christmas\n2026-12-28\n"
    loaded = load_calendars(holidays(tmp_path, text, until="2026-12-31"), tmp_path, None)["ours"]
    assert loaded == BusinessDays.without([date(2026, 12, 25), date(2026, 12, 28)], until=date(2026, 12, 31))


@pytest.mark.parametrize(("line", "complaint"), [
    ("25.12.2026", "'25.12.2026' is no date; write one a line as YYYY-MM-DD, and words behind a #"),
    ("2026-02-30", "'2026-02-30' is no date; write one a line as YYYY-MM-DD, and words behind a #"),
    ("2026-12-25 Christmas", "'2026-12-25 Christmas' is no date; write one a line as YYYY-MM-DD, and words behind a #"),
    ("20261225", "write 20261225 as 2026-12-25"),
])
def test_a_wrong_line_is_named(line: str, complaint: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refusal:
        load_calendars(holidays(tmp_path, f"# ours\n{line}\n"), tmp_path, None)
    assert str(refusal.value) == f"{tmp_path}/holidays.txt:2: {complaint}"


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone.txt cannot be read: No such file or directory"):
        load_calendars({"ours": CalendarConfig(holidays="gone.txt")}, tmp_path, None)


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "holidays.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"holidays.txt: not UTF-8 text: invalid start byte at byte 0"):
        load_calendars({"ours": CalendarConfig(holidays="holidays.txt")}, tmp_path, None)


def test_an_exchange_knows_its_own_end() -> None:
    with pytest.raises(ValidationError, match="until belongs to a file of holidays"):
        CalendarConfig.model_validate({"exchange": "XLON", "until": "2026-12-31"})


def test_an_exchange_is_asked_once_and_then_remembered(tmp_path: Path) -> None:
    # given
    cache = tmp_path / "calendars"
    first = load_calendars(XLON, tmp_path, cache, TODAY)["xlon"]
    assert not first.is_business_day(date(2026, 12, 25))
    assert not first.is_business_day(date(2026, 12, 28))  # Boxing Day fell on a Saturday
    assert first.is_business_day(date(2026, 12, 29))
    assert first.until == date(2028, 12, 31)

    # when the file says something that only it can know
    [file] = cache.iterdir()
    kept = json.loads(file.read_text())
    kept["sessions"].append("2026-12-25")
    file.write_text(json.dumps(kept))

    # then it is believed, the next day too
    again = load_calendars(XLON, tmp_path, cache, TODAY + timedelta(days=1))["xlon"]
    assert again.is_business_day(date(2026, 12, 25))


def test_a_damaged_file_is_made_again(tmp_path: Path) -> None:
    load_calendars(XLON, tmp_path, tmp_path, TODAY)
    [file] = tmp_path.iterdir()
    whole = file.read_text()
    for damage in ("{", "[]", '{"sessions": 1, "asked": "2026-11-24"}'):
        file.write_text(damage)
        load_calendars(XLON, tmp_path, tmp_path, TODAY)
        assert file.read_text() == whole


def test_a_file_that_ends_too_early_is_made_again(tmp_path: Path) -> None:
    load_calendars(XLON, tmp_path, tmp_path, TODAY)
    later = date(2028, 1, 3)  # less than 400 days before its end
    assert load_calendars(XLON, tmp_path, tmp_path, later)["xlon"].until == date(2030, 12, 31)


def test_an_unknown_exchange_is_refused_with_a_way_to_list_them(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no exchange XLOM; `python -m daemon\.cron\.exchange_days` lists the codes"):
        load_calendars({"x": CalendarConfig(exchange="XLOM")}, tmp_path, tmp_path, TODAY)
    words = [sys.executable, "-m", "daemon.cron.exchange_days"]
    listed = subprocess.run(words, capture_output=True, text=True, check=True)
    assert {"XLON", "XNYS", "CMES"} <= set(listed.stdout.split())


def test_no_code_can_leave_the_folder_of_the_cache(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    load_calendars({"always": CalendarConfig(exchange="24/7")}, tmp_path, cache, TODAY)
    assert len(list(cache.iterdir())) == 1
    with pytest.raises(ConfigError, match="there is no exchange"):
        load_calendars({"x": CalendarConfig(exchange="../../x")}, tmp_path, cache, TODAY)
    assert [each.name for each in tmp_path.iterdir()] == ["cache"]


ENDS = (  # days ahead, refused in a configuration, alarming in a running daemon
    (61, "", ""), (60, "ends in 60 days", ""), (31, "ends in 31 days", ""), (30, "ends in 30 days", "ends in 30 days"),
    (1, "ends tomorrow", "ends tomorrow"), (0, "ends today", "ends today"),
    (-2, "ended 2 days ago", "ended 2 days ago"),
)


@pytest.mark.parametrize(("ahead", "refused", "alarming"), ENDS)
def test_a_calendar_that_ends_soon_says_when(ahead: int, refused: str, alarming: str) -> None:
    days = BusinessDays.without([], until=TODAY + timedelta(days=ahead))
    for judge, expected in ((calendar_error, refused), (calendar_alert, alarming)):
        said = judge("ours", days, TODAY)
        assert said.startswith(f"the calendar ours {expected}") if expected else said == ""


def test_what_to_do_depends_on_where_a_calendar_comes_from() -> None:
    assert calendar_error("ours", BusinessDays.without([], until=TODAY), TODAY) == (
        "the calendar ours ends today, on 2026-11-24; behind it no slot runs. To go on, add the coming holidays to its "
        "file and move `until`")
    assert calendar_alert("x", BusinessDays.of_sessions([], TODAY, TODAY), TODAY).endswith(
        "To go on, update the library (pip install --upgrade exchange_calendars) and start again")
    assert calendar_error("weekdays", WEEKDAYS, TODAY) == ""


def test_the_daemon_does_not_load_the_heavy_library() -> None:
    code = "import sys, daemon.cron.calendars; sys.exit('exchange_calendars' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
