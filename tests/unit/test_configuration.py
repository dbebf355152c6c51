"""Configuration files: merged over the defaults, strict, and every mistake names file, line and key."""

from pathlib import Path

import pytest

from daemon.bootstrap import checked_config, differences
from trading.config import MONGO_URI_VARIABLE, Mode, load_config
from trading.errors import ConfigError


def written(folder: Path, text: str, file: str = "processes.yaml") -> Path:
    (folder / file).write_text(text)
    return folder


def complaint(folder: Path) -> str:
    with pytest.raises(ConfigError) as error:
        checked_config(folder)
    return str(error.value).replace(f"{folder}/", "")


def test_an_empty_folder_means_the_shipped_defaults(tmp_path: Path) -> None:
    config = checked_config(tmp_path)
    assert config.service.mode is Mode.SIMULATED
    assert {"update_fx_prices", "update_futures_contracts", "run_strategy_order_generator", "run_stack_handler",
            "run_daily_reports"} <= set(config.processes)


def test_a_file_changes_only_the_keys_that_it_names(tmp_path: Path) -> None:
    config = checked_config(written(tmp_path, "processes:\n  run_systems:\n    timeout: PT2H\n"))
    assert config.processes["run_systems"].timeout == 7200
    assert config.processes["run_systems"].cron == "30 21 * * 1-5"
    assert len(config.processes) == 12


MISTAKES = (
    ("processes:\n  run_systems:\n    crn: x\n",
     "processes.yaml:3: processes.run_systems.crn: unknown key; did you mean cron?."),
    ("processes:\n  run_systems:\n    cron: '0 25 * * *'\n",
     "processes.yaml:3: processes.run_systems.cron: cron '0 25 * * *', column 3: 25 is no hour (allowed: 0-23)"),
    ("processes:\n  run_systems:\n    timeout: soon\n",
     "processes.run_systems.timeout: 'soon' is no duration; write ISO 8601, for example PT1H30M."),
    ("processes:\n  run_systems:\n    timezone: Mars/Base\n",
     "processes.yaml:3: processes.run_systems.timezone: 'Mars/Base' is no time zone; use an IANA name, for example "
     "Europe/London."),
    ("processes:\n  run_systems:\n    cron: a\n    cron: b\n",
     "processes.yaml:4: processes.run_systems.cron: this key stands here twice (first in processes.yaml:3). "
     "Keep one of them."),
    ("processes:\n  run_systems:\n    after: [run_sistems]\n",
     "processes.run_systems.after: run_sistems is no process"),
    ("processes:\n  update_fx_prices:\n    after: [run_systems]\n", "the processes wait for each other: "),
    ("processes:\n  my_process:\n    cron: '0 6 * * *'\n    timeout: PT1H\n",
     "processes.yaml:2: processes.my_process: there is no such process"),
    ("processes: [\n", "processes.yaml:2: not YAML"),
    ("- a\n", "processes.yaml:1: expected `key: value` lines, found a list."),
)


@pytest.mark.parametrize(("text", "expected"), MISTAKES)
def test_a_mistake_names_file_line_and_key(text: str, expected: str, tmp_path: Path) -> None:
    assert expected in complaint(written(tmp_path, text))


def test_a_cycle_is_printed(tmp_path: Path) -> None:
    text = "processes:\n  run_systems:\n    after: [run_daily_reports]\n"
    said = complaint(written(tmp_path, text))
    assert "run_systems -> run_strategy_order_generator" in said or "run_systems -> run_daily_reports" in said
    assert said.startswith("processes.yaml:")


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    text = "mode: fake\nbroker:\n  port: 99999\n  hots: x\n"
    said = complaint(written(tmp_path, text, "tradingd.yaml")).splitlines()
    assert [line.partition(": ")[0] for line in said] == ["tradingd.yaml:1", "tradingd.yaml:3", "tradingd.yaml:4"]


def test_the_address_of_the_store_may_come_from_outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MONGO_URI_VARIABLE, "mongodb://user:secret@db/?replicaSet=r")
    assert load_config(tmp_path).service.mongo.uri == "mongodb://user:secret@db/?replicaSet=r"


def test_a_folder_that_does_not_exist_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"does not exist\. Name another with --config"):
        load_config(tmp_path / "nowhere")


def test_an_edit_is_described_by_what_it_changes(tmp_path: Path) -> None:
    old = dict(checked_config(tmp_path).processes)
    new = dict(checked_config(written(tmp_path, "processes:\n  run_systems:\n    cron: '0 5 * * *'\n")).processes)
    assert differences(old, new) == ["run_systems: cron 30 21 * * 1-5 -> 0 5 * * *"]
