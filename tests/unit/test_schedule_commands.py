"""tradectl schedule on a folder, while no daemon runs and nobody can be asked."""

import io
import json
import re
from pathlib import Path

import pytest

from daemon.cli.__main__ import run
from trading.process_config import ProcessConfig
from trading.shipped import shipped_folder

LATER = "sed -i 's/^0 22/30 22/'"  # an editor that moves the daily reports by half an hour


class Terminal:
    """Calls tradectl on a configuration of its own; remembers what it said."""

    def __init__(self, folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.config, self._state = folder / "config", folder / "state"
        self._capfd, self._monkeypatch = capfd, monkeypatch
        self.config.mkdir()
        for file in shipped_folder().glob("*.yaml"):
            (self.config / file.name).write_bytes(file.read_bytes())
        self.file = self.config / "processes.yaml"
        self.before = self.file.read_text()

    def __call__(self, *words: str, editor: str = "false") -> int:
        self._monkeypatch.delenv("VISUAL", raising=False)
        self._monkeypatch.setenv("EDITOR", editor)
        code = run(["--config", str(self.config), "--state", str(self._state), "schedule", *words])
        self.out, self.err = self._capfd.readouterr()
        return code


@pytest.fixture
def terminal(tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Terminal:
    return Terminal(tmp_path, capfd, monkeypatch)


def test_list_prints_a_crontab_that_apply_takes_back(terminal: Terminal, tmp_path: Path) -> None:
    assert terminal("list") == 0
    (tmp_path / "new.crontab").write_text(terminal.out)
    assert terminal("apply", str(tmp_path / "new.crontab")) == 0
    assert (terminal.out, terminal.file.read_text()) == ("Nothing changed.\n", terminal.before)


def test_an_edit_is_shown_applied_and_keeps_the_text_before(terminal: Terminal) -> None:
    assert terminal("edit", "--yes", editor=LATER) == 0
    assert terminal.out.startswith("run_daily_reports: cron 0 22 * * 1-5 -> 30 22 * * 1-5\n  - at 22:00 on Monday to ")
    assert "The service does not run; it uses this when it starts." in terminal.out
    assert terminal.file.read_text() == terminal.before.replace('"0 22 * * 1-5"', '"30 22 * * 1-5"')
    assert (terminal.config / "processes.yaml.previous").read_text() == terminal.before


def test_an_edit_that_changes_nothing_says_so(terminal: Terminal) -> None:
    assert terminal("edit", editor="true") == 0
    assert terminal.out == "Nothing changed.\n"


def test_nothing_is_applied_unasked(terminal: Terminal) -> None:
    assert terminal("edit", editor=LATER) == 2
    assert "This changes the schedule. There is no terminal to ask on; add --yes" in terminal.err
    assert terminal.file.read_text() == terminal.before


@pytest.mark.parametrize(("editor", "expected"), [
    ("sed -i s/max_attempts=3/max_attempts=0/", "line 11, column 64: max_attempts: Input should be greater than 0"),
    ("sed -i 's/^0 22/0 25/'", "column 1: cron: cron '0 25 * * 1-5', column 3: 25 is no hour (allowed: 0-23)."),
    ("sed -i s/timeout=PT15M/tmeout=1/", "unknown option tmeout (did you mean timeout?)."),
    ("sed -i s/run_cleaners/run_cleanerz/", "run_cleanerz: there is no such process as run_cleanerz (known: "),
    ("sed -i '/^0 6 /d'", "update_fx_prices is no process (known: "),
    ("false", "The editor false ended with code 1; nothing was changed."),
    ("no-such-editor", "The editor no-such-editor cannot be started: No such file or directory."),
])
def test_a_mistake_in_an_edit_is_told_by_its_line_and_nothing_changes(editor: str, expected: str,
                                                                      terminal: Terminal) -> None:
    assert terminal("edit", "--yes", editor=editor) == 2
    assert expected in terminal.err
    assert terminal.file.read_text() == terminal.before


class Answers(io.StringIO):
    """Somebody at a terminal."""

    def isatty(self) -> bool:
        return True


MENDING = "sh -c 'grep -q ^0.25 $0 && sed -i \"s/^0 25/0 23/\" $0 || sed -i \"s/^0 22/0 25/\" $0'"


def test_a_mistake_can_be_mended_in_the_same_text(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    # given an editor that first makes a mistake, then mends it, and somebody who says yes twice
    monkeypatch.setattr("sys.stdin", Answers("y\ny\n"))
    assert terminal("edit", editor=MENDING) == 0
    assert "25 is no hour (allowed: 0-23)" in terminal.err
    assert terminal.file.read_text() == terminal.before.replace('"0 22 * * 1-5"', '"0 23 * * 1-5"')


def test_a_mistake_can_be_given_up(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Answers("n\n"))
    assert terminal("edit", editor=MENDING) == 2
    assert terminal.err.endswith("Nothing was changed.\n")
    assert terminal.file.read_text() == terminal.before


def test_a_change_can_be_declined(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Answers("n\n"))
    assert terminal("edit", editor=LATER) == 130
    assert terminal.file.read_text() == terminal.before


def test_a_dry_run_applies_nothing(terminal: Terminal, tmp_path: Path) -> None:
    wanted = tmp_path / "wanted.yaml"
    wanted.write_text(terminal.before.replace("PT2M", "PT3M"))
    assert terminal("apply", str(wanted), "--dry-run") == 0
    assert terminal.out == "run_stack_handler: grace 120 -> 180\nNothing was applied (--dry-run).\n"
    assert terminal.file.read_text() == terminal.before


def test_a_whole_file_is_applied_over_a_broken_one(terminal: Terminal, tmp_path: Path) -> None:
    wanted = tmp_path / "wanted.yaml"
    wanted.write_text(terminal.before)
    terminal.file.write_text("processes: [\n")
    assert terminal("apply", str(wanted), "--yes") == 0
    assert terminal.out.startswith("The files on disk are wrong, so only their text can be compared.")
    assert terminal.file.read_text() == terminal.before


def test_comments_alone_are_applied_as_text(terminal: Terminal, tmp_path: Path) -> None:
    wanted = tmp_path / "wanted.yaml"
    wanted.write_text(terminal.before + "# checked by ana\n")
    assert terminal("apply", str(wanted), "--yes", "--json") == 0
    assert json.loads(terminal.out)["lines"][0] == "Only comments or the way of writing change."


def test_next_lists_one_process_in_another_zone(terminal: Terminal) -> None:
    assert terminal("next", "run_systems", "-n", "12", "--tz", "America/New_York") == 0
    heading, *rows = terminal.out.splitlines()
    assert heading.startswith("TIME (America/New_York)")
    assert len(rows) == 12
    assert all(row.split()[2] == "run_systems" for row in rows)
    assert terminal("next", "run_sistems") == 2
    assert terminal("next", "--tz", "Mars") == 2
    assert terminal.err == "--tz: 'Mars' is no time zone; use an IANA name, for example Europe/London.\n"


def test_explain_takes_an_expression_or_a_process(terminal: Terminal) -> None:
    assert terminal("explain", "30 1 * * *", "--json") == 0
    told = json.loads(terminal.out)
    assert (told["words"], len(told["next"])) == ("at 01:30 every day", 5)
    assert any("the clock goes back" in warning for warning in told["warnings"])
    assert terminal("explain", "run_systems") == 0
    assert terminal.out.startswith("at 21:30 on Monday to Friday (Europe/London)\n")
    assert terminal("explain", "0 25 * * *") == 2


def test_an_expression_is_explained_while_the_configuration_is_wrong(terminal: Terminal) -> None:
    terminal.file.write_text("processes: [\n")
    assert terminal("explain", "0 6 * * 1-5") == 0


def test_lint_names_the_process(terminal: Terminal) -> None:
    terminal.file.write_text(terminal.before.replace('"0 22 * * 1-5"', '"30 1 * * *"'))
    assert terminal("lint") == 0
    assert "run_daily_reports  on 20" in terminal.out
    assert terminal("lint", "run_systems") == 0
    assert terminal.out == "Nothing to remark.\n"


def test_check_takes_a_folder_a_file_or_a_crontab(terminal: Terminal, tmp_path: Path) -> None:
    assert terminal("check") == 0
    assert "no mistakes; 13 processes" in terminal.out
    assert terminal("check", str(terminal.config)) == 0
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("processes:\n  run_systems:\n    timeout: soon\n")
    assert terminal("check", str(wrong)) == 2
    assert terminal.err.startswith(f"{wrong}:3:5: processes.run_systems.timeout: 'soon' is no duration")
    (tmp_path / "wrong.crontab").write_text("0 25 * * * run_systems timeout=PT1H\n")
    assert terminal("check", str(tmp_path / "wrong.crontab")) == 2
    assert "line 1, column 1: cron: cron '0 25 * * *', column 3: 25 is no hour" in terminal.err


STRATEGY = "system:\n  forecast_rules:\n    trend: {rule: ewmac, fast: 8, slow: 32, scalar: 5.3, weight: 1}\n"


def test_check_takes_the_draft_of_a_strategy(terminal: Terminal, tmp_path: Path) -> None:
    draft = tmp_path / "strategies" / "mine.yaml"
    draft.parent.mkdir()
    draft.write_text(STRATEGY)
    assert terminal("check", str(draft), "--json") == 0
    assert json.loads(terminal.out)["strategies"] == ["mine"]
    draft.write_text(STRATEGY.replace("slow: 32", "slow: 4"))
    assert terminal("check", str(draft)) == 2
    assert terminal.err.startswith(f"{draft}:3:5: system.forecast_rules.trend: fast (8) must be smaller than slow (4).")
    assert not (terminal.config / "strategies").exists()


def test_check_names_the_strategies_that_would_trade(terminal: Terminal) -> None:
    assert terminal("check") == 0
    assert terminal.out == f"{terminal.config}: no mistakes; 13 processes, strategies example, mode simulated.\n"


PAGE = Path(__file__).resolve().parents[2] / "docs" / "how_to" / "edit_the_schedule.md"
KEYS = dict(re.findall(r"^\| `(\w+)` \| `?([^`|]+?)`? \|", PAGE.read_text(), re.MULTILINE))


def test_every_key_of_a_process_is_documented() -> None:
    assert list(KEYS) == list(ProcessConfig.model_fields)


@pytest.mark.parametrize("key", [key for key, default in KEYS.items() if default not in ("nothing", "required")])
def test_the_documented_default_of_a_key_is_the_true_one(key: str) -> None:
    documented = {"cron": "@daily", "timeout": 60, key: {"yes": True, "no": False}.get(KEYS[key], KEYS[key])}
    assert ProcessConfig.model_validate(documented) == ProcessConfig(cron="@daily", timeout=60)


def test_a_key_without_a_documented_default_has_none() -> None:
    process = ProcessConfig(cron="@daily", timeout=60)
    undocumented = [key for key, default in KEYS.items() if default == "nothing" and key != "cron"]
    assert [key for key in undocumented if getattr(process, key)] == []
