"""What the service refuses at once: a sentence that says what to do, an exit code, and nothing left behind."""

import os
from pathlib import Path

import pytest
from service import Service

from daemon.places import Places
from daemon.store.state_lock import StateLock


def configured(folder: Path, **files: str) -> Service:
    """A service whose configuration folder holds `files` (names without .yaml)."""
    config = folder / "config"
    config.mkdir()
    for name, text in files.items():
        (config / f"{name}.yaml").write_text(text)
    return Service(folder / "var", config)


def refused(service: Service, code: int, *flags: str) -> str:
    done = service.play(*flags, timeout_s=60)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert service.leftovers() == []
    return done.stderr


@pytest.mark.parametrize(("text", "complaint"), [
    ("processes:\n  run_systems:\n    crn: x\n",
     "processes.yaml:3:5: processes.run_systems.crn: unknown key (did you mean cron?)"),
    ("processes:\n  run_systems:\n    cron: '0 25 * * *'\n", "processes.yaml:3:5: processes.run_systems.cron: "),
    ("processes: [\n", "processes.yaml:2:1: not YAML")])
def test_a_wrong_schedule_names_file_and_line(text: str, complaint: str, tmp_path: Path) -> None:
    assert complaint in refused(configured(tmp_path, processes=text), 2)


def test_a_wrong_configuration_creates_no_state(tmp_path: Path) -> None:
    service = configured(tmp_path, processes="processes: 5\n")
    refused(service, 2)
    assert not service.state.exists()


def test_an_unreachable_store_is_named_without_its_password(tmp_path: Path) -> None:
    text = "mongo:\n  uri: mongodb://trader:s3cret@127.0.0.1:1/\n  timeout_s: 0.5\n  connect_limit_s: 1\n"
    said = refused(configured(tmp_path, tradingd=text), 75)
    assert "MongoDB at 127.0.0.1:1 does not answer" in said
    assert "Gave up after 1 s." in said
    assert "s3cret" not in said


def test_tradectl_names_an_unreachable_store_as_well(tmp_path: Path) -> None:
    text = "mongo:\n  uri: mongodb://trader:s3cret@127.0.0.1:1/\n  timeout_s: 0.5\n"
    said = configured(tmp_path, tradingd=text).ctl("positions", expect=1)
    assert "MongoDB at 127.0.0.1:1 does not answer" in said
    assert "s3cret" not in said


def test_a_data_folder_that_does_not_exist_is_said(tmp_path: Path) -> None:
    said = refused(configured(tmp_path), 2, "--data", str(tmp_path / "nowhere"))
    assert f"The data folder {tmp_path / 'nowhere'} does not exist." in said


def test_a_configuration_folder_that_does_not_exist_is_said(tmp_path: Path) -> None:
    said = refused(Service(tmp_path / "var", tmp_path / "nowhere"), 2)
    assert "does not exist. Name another with --config" in said


@pytest.mark.parametrize("words", [("pause", "run_systems"), ("run", "run_systems"), ("reload",)])
def test_without_a_daemon_a_change_is_refused_with_the_next_step(words: tuple[str, ...], tmp_path: Path) -> None:
    assert "Start it with: tradectl start" in configured(tmp_path).ctl(*words, expect=3)


def test_stopping_what_does_not_run_is_no_failure(tmp_path: Path) -> None:
    assert configured(tmp_path).ctl("stop") == "tradingd is not running.\n"


def test_the_schedule_can_be_asked_for_without_a_daemon(tmp_path: Path) -> None:
    rows = configured(tmp_path).json("schedule", "next", "-n", "4")
    assert len(rows) == 4
    assert [row["instant"] for row in rows] == sorted(row["instant"] for row in rows)


@pytest.mark.parametrize("words", [("nonsense",), ("status", "--nonsense"), ("run",), ("prices", "-n", "many")])
def test_wrong_words_are_answered_with_one_sentence(words: tuple[str, ...], tmp_path: Path) -> None:
    said = configured(tmp_path).ctl(*words, expect=2)
    assert said.count("\n") == 1
    assert said.endswith(" --help\n")


def test_a_daemon_that_is_only_starting_is_not_taken_for_one_that_is_in_the_way(tmp_path: Path) -> None:
    service = configured(tmp_path)
    places = Places(service.state)
    lock = StateLock(places.lock, places.state)
    said = service.ctl("status", expect=1)
    lock.release()
    assert f"tradingd (process {os.getpid()}) is starting or stopping and does not answer yet." in said
    assert str(places.service_log) in said
