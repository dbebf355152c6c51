"""A wrong configuration: everything that is wrong is told at once, each with file, line, column, key and a caret."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from daemon.configuration.checked_config import checked, checked_config
from trading.config import load_config
from trading.errors import ConfigError
from trading.shipped import shipped_folder
from trading.yaml_document import LARGEST_BYTES, pointed_at

P = "processes:\n  run_systems:\n"
NEW = "processes:\n  mine:\n    timeout: PT1H\n    job: my.module\n"


def written(folder: Path, text: str | bytes, file: str = "processes.yaml") -> Path:
    (folder / file).parent.mkdir(exist_ok=True)
    (folder / file).write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def complaint(folder: Path) -> str:
    with pytest.raises(ConfigError) as error:
        checked_config(folder)
    return str(error.value).replace(f"{folder}/", "")


MISTAKES = (
    ("tradingd", "mdoe: live\n", "tradingd.yaml:1:1: mdoe: unknown key (did you mean mode?)."),
    ("tradingd", "broker:\n  prot: 1\n", "tradingd.yaml:2:3: broker.prot: unknown key (did you mean port?)."),
    ("tradingd", "watchdog:\n  client_id: 1\n", "tradingd.yaml:1:1: watchdog: the watchdog connects beside the "
     "service, so its client_id must be another one than broker.client_id (1)."),
    ("tradingd", "watchdog: 7\n", "tradingd.yaml:1:1: watchdog: this is a section with keys of its own; found 7."),
    ("tradingd", "xyzzy: 1\n", "tradingd.yaml:1:1: xyzzy: unknown key (check the spelling of xyzzy)."),
    ("tradingd", "orders:\n  good_till_date: maybe\n", "tradingd.yaml:2:3: orders.good_till_date: it must be true or "
     "false; found 'maybe'."),
    ("tradingd", "mongo:\n  database: 7\n", "tradingd.yaml:2:3: mongo.database: it must be a text; put it in quotes; "
                                             "found 7."),
    ("tradingd", "broker:\n  statements: {query: abc}\n", "tradingd.yaml:2:16: broker.statements.query: 'abc' is no "
     "number of a Flex query; take it from the Client Portal, for example 123456."),
    ("tradingd", "timezone: Londn\n", "tradingd.yaml:1:1: timezone: 'Londn' is no time zone; use an IANA name, for "
                                      "example Europe/London."),
    ("tradingd", "clock:\n  as_of: 2021-11-03T23:15:00\n", "tradingd.yaml:2:3: clock.as_of: 2021-11-03T23:15:00 has "
                                                           "no zone; write for example 2021-11-03T23:15:00+00:00."),
    ("tradingd", "mongo:\n  timeout_s: 0\n", "tradingd.yaml:2:3: mongo.timeout_s: Input should be greater than 0; "
                                             "found 0."),
    ("tradingd", "mode: [live\n", "tradingd.yaml:2:1: not YAML: did not find expected ',' or ']'."),
    ("tradingd", "mode: !!python/object/apply:os.system ['true']\n",
     "tradingd.yaml:1:7: mode: the tag !!python/object/apply:os.system is not allowed. Write a plain value."),
    ("tradingd", "- a\n", "tradingd.yaml:1:1: expected `key: value` lines, found a list."),
    ("tradingd", "capital_method: double\n",
     "tradingd.yaml:1:1: capital_method: Input should be 'full', 'half' or 'fixed'; found 'double'."),
    ("tradingd", "base_currency: usd\n",
     "tradingd.yaml:1:1: base_currency: String should match pattern '^[A-Z]{3}$'; found 'usd'."),
    ("strategies/mine", "wieght: 2\n", "strategies/mine.yaml:1:1: wieght: unknown key (did you mean weight?)."),
    ("strategies/mine", "weight: 2\n",
     "strategies/mine.yaml:1:1: system.forecast_rules: this key is missing; add it."),
    ("strategies/example", "system:\n  bufer_size: 0.2\n",
     "strategies/example.yaml:2:3: system.bufer_size: unknown key (did you mean buffer_size?)."),
    ("strategies/example", "system:\n  forecast_rules:\n    mine: {rule: ewmca, scalar: 1, weight: 1}\n",
     "strategies/example.yaml:3:5: system.forecast_rules.mine: there is no rule ewmca (there: accel, "),
    ("strategies/example", "system:\n  forecast_rules:\n    carry:\n      smooth_days: 0\n",
     "strategies/example.yaml:3:5: system.forecast_rules.carry: smooth_days of rule carry must be a whole number of at "
     "least 1; found 0."),
    ("strategies/example", "system:\n  instrument_weights: {A: 0}\n",
     "strategies/example.yaml:1:1: system: instrument_weights adds up to nothing; leave it out for equal weights."),
    ("strategies", "strategies:\n  mine: {}\n", "strategies.yaml:1:1: this file is not read. Give each strategy a file "
                                                "of its own, strategies/NAME.yaml; capital_method belongs into "
                                                "tradingd.yaml."),
    ("strategies/2nd", "system:\n  forecast_rules: {t: {rule: bias, direction: 1, scalar: 1, weight: 1}}\n",
     "strategies/2nd.yaml:1:1: '2nd' cannot be the name of a strategy: it begins with a letter and goes on with "
     "letters, digits, _ or -. Rename the file."),
    ("processes", P + "    crn: x\n",
     "processes.yaml:3:5: processes.run_systems.crn: unknown key (did you mean cron?)."),
    ("processes", P + "    timeout: 1h\n", "processes.yaml:3:5: processes.run_systems.timeout: '1h' is no duration; "
                                           "write ISO 8601, for example PT1H30M."),
    ("processes", P + "    cron: '0 25 * * *'\n", "processes.yaml:3:5: processes.run_systems.cron: cron '0 25 * * *', "
                                                  "column 3: 25 is no hour (allowed: 0-23)."),
    ("processes", P + "    cron: '0 0 30 2 *'\n", "processes.yaml:3:5: processes.run_systems.cron: cron '0 0 30 2 *', "
                                                  "column 5: no date matches; it would never run."),
    ("processes", P + "    every: PT1H\n", "processes.yaml:2:3: processes.run_systems: exactly one of cron, every, "
                                           "after_finish, on_success_of says when it runs; found cron and every."),
    ("processes", P + "    after:\n      - update_fx_prices\n      - update_fx_price\n",
     "processes.yaml:5:9: processes.run_systems.after: update_fx_price is no process (known: "),
    ("processes", P + "    cron: a\n\n    cron: b\n", "processes.yaml:5:5: processes.run_systems.cron: this key stands "
                                                      "here twice (first in processes.yaml:3:5). Keep one of them."),
    ("processes", P + "    was: run_cleaners\n", "processes.yaml:3:5: processes.run_systems.was: run_cleaners still "
                                                 "exists; `was` is the name that run_systems had before."),
    ("processes", P + "    calendar: moon\n",
     "processes.yaml:3:5: processes.run_systems.calendar: there is no calendar moon (known: weekdays)."),
    ("processes", P + "    resources: {ib: 2}\n",
     "processes.yaml:3:17: processes.run_systems.resources.ib: it wants 2, there are 0. Add `ib: 2` to resources:."),
    ("processes", P + "    window: {start: 08:00, stop: 09:00}\n",
     "processes.yaml:3:5: processes.run_systems.window: it never runs: every slot of the next 400 days is left out"),
    ("processes", NEW, "processes.yaml:2:3: processes.mine: exactly one of cron, every, after_finish, on_success_of"),
    ("processes", "processes:\n  mine:\n    cron: '@daily'\n",
     "processes.yaml:2:3: processes.mine.timeout: this key is missing; add it."),
    ("processes", "processes:\n  mine:\n    cron: '@daily'\n    timeout: PT1H\n",
     "processes.yaml:2:3: processes.mine: there is no such process as mine (known: update_fx_prices, "),
    ("processes", NEW.replace("my.module", "mine") + "    cron: '@daily'\n",
     "processes.yaml:4:5: processes.mine.job: there is no such process as mine (known: "),
    ("processes", "calendars:\n  desk: {holidays: desk.txt}\n",
     "processes.yaml:2:10: calendars.desk.holidays: desk.txt cannot be read: No such file or directory."),
)


@pytest.mark.parametrize(("file", "text", "expected"), MISTAKES)
def test_a_mistake_says_what_which_allowed_and_what_to_do(file: str, text: str, expected: str, tmp_path: Path) -> None:
    assert complaint(written(tmp_path, text, f"{file}.yaml")).startswith(expected)


def test_the_line_is_shown_with_a_caret_under_the_column(tmp_path: Path) -> None:
    said = complaint(written(tmp_path, P + "    timeuot: PT1H\n"))
    assert said.splitlines()[1:] == ["    3 |     timeuot: PT1H", "            ^"]


def test_all_mistakes_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    # given mistakes of spelling, of meaning and of relations, in three files and in one process
    written(tmp_path, "mode: fake\nbroker:\n  port: 99999\n  hots: x\n", "tradingd.yaml")
    written(tmp_path, "weight: 0\n", "strategies/example.yaml")
    written(tmp_path, P + "    crn: 1\n    cron: '0 25 * * *'\n    after: [nobody]\n  run_cleaners:\n"
                          "    after: [run_cleaners]\n")

    # then each is a line of its own, in the order of the files
    places = [line.partition(": ")[0] for line in complaint(tmp_path).splitlines() if ".yaml:" in line]
    assert places == ["processes.yaml:3:5", "processes.yaml:4:5", "processes.yaml:5:13", "processes.yaml:7:5",
                      "strategies/example.yaml:1:1", "tradingd.yaml:1:1", "tradingd.yaml:3:3", "tradingd.yaml:4:3"]


def test_every_cycle_is_printed_whole(tmp_path: Path) -> None:
    text = ("processes:\n  update_fx_prices:\n    after: [update_strategy_capital]\n  run_cleaners:\n"
            "    after: [run_cleaners]\n")
    said = complaint(written(tmp_path, text))
    chains = [line.partition("wait for each other: ")[2].partition(". Remove")[0].split(" -> ")
              for line in said.splitlines() if "wait for each other" in line]
    assert all(chain[0] == chain[-1] for chain in chains)
    assert [set(chain) for chain in chains] == [
        {"update_fx_prices", "update_strategy_capital", "update_total_capital"}, {"run_cleaners"}]


def test_a_cycle_through_a_success_names_that_key(tmp_path: Path) -> None:
    text = P + "    cron: null\n    after: []\n    on_success_of: run_systems\n"
    assert "processes.run_systems.on_success_of: the processes wait for each other: run_systems -> run_systems." in \
        complaint(written(tmp_path, text))


def test_text_that_is_no_utf_8_is_named_with_its_place(tmp_path: Path) -> None:
    assert complaint(written(tmp_path, b"a: 1\nmode: \xff\n", "tradingd.yaml")) == (
        "tradingd.yaml:2:7: not UTF-8 text: invalid start byte at byte 11. Save the file as UTF-8.")


def test_a_file_that_is_no_configuration_is_refused_by_its_size(tmp_path: Path) -> None:
    said = complaint(written(tmp_path, b"# x\n" * (LARGEST_BYTES // 4 + 1)))
    assert said == "processes.yaml:1:1: the file has 1,000,004 bytes, allowed are 1,000,000. This is no " \
                   "configuration; restore the right file."


@pytest.mark.parametrize("text", [
    "a: &a [*a]\n",
    "a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\n"
    "d: &d [*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e]\n"])
def test_aliases_that_unfold_without_end_are_refused(text: str, tmp_path: Path) -> None:
    assert "is an alias (*name) inside of what it repeats?" in complaint(written(tmp_path, text))


@pytest.mark.parametrize("text", ["[" * 100_000, "- " * 100_000, "? " * 50_000, '"', "\x00", "%YAML 9.9\n---\na: 1\n"])
def test_no_text_breaks_the_reader(text: str, tmp_path: Path) -> None:
    assert complaint(written(tmp_path, text)).startswith("processes.yaml:1:")


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    assert complaint(tmp_path / "nowhere").endswith("nowhere does not exist. Name another with --config, or copy the "
                                                    f"defaults from {shipped_folder()}.")


def test_times_and_dates_mean_what_they_say(tmp_path: Path) -> None:
    # YAML 1.1 reads 20:00 as 1200 seconds and 2026-12-31 as a date
    text = "calendars:\n  desk: {holidays: desk.txt, until: 2027-12-31}\n" + P + \
        "    window: {start: 20:00, stop: 23:50}\n    calendar: desk\n"
    (tmp_path / "desk.txt").write_text("2026-12-25\n")
    found = checked(written(tmp_path, text), now=datetime(2026, 3, 2, tzinfo=UTC))
    window, = found.config.processes["run_systems"].window
    assert (window.start.hour, window.stop.minute) == (20, 50)
    assert str(found.calendars["desk"].until) == "2027-12-31"


def test_a_null_takes_a_shipped_process_away(tmp_path: Path) -> None:
    config = load_config(written(tmp_path, "processes:\n  run_cleaners: null\n"))
    assert "run_cleaners" not in config.processes
    assert len(config.processes) == 12


def test_a_password_is_not_shown(tmp_path: Path) -> None:
    text = "mongo:\n  uri: mongodb://ana:s3cret@db/?replicaSet=r\n  uri: mongodb://ana:s3cret@db/\n"
    said = complaint(written(tmp_path, text, "tradingd.yaml"))
    assert "mongodb://ana:***@db/" in said
    assert "s3cret" not in said


def test_texts_are_checked_in_place_of_the_files(tmp_path: Path) -> None:
    written(tmp_path, P + "    timeout: 1h\n")
    right = checked(tmp_path, {"processes.yaml": P + "    timeout: PT2H\n"})
    assert right.config.processes["run_systems"].timeout == 7200


def test_a_long_line_is_cut_around_the_column() -> None:
    shown, caret = pointed_at("x" * 500 + "!" + "y" * 500, 7, 501).splitlines()
    assert len(shown) < 130
    assert shown[caret.index("^")] == "!"


def test_the_shipped_configuration_has_no_mistakes(tmp_path: Path) -> None:
    assert len(checked_config(tmp_path).processes) == len(checked_config(shipped_folder()).processes) == 13
