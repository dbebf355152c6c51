"""A wrong strategy is refused when the configuration is read: file, line, column, key, and what to do."""

import subprocess
import sys
from pathlib import Path

import pytest

from daemon.configuration.checked_config import checked, checked_config
from trading.errors import ConfigError

RULE = "    trend: {rule: ewmac, fast: 8, slow: 32, scalar: 5.3, weight: 1}\n"
MINE = f"system:\n  forecast_rules:\n{RULE}"
OWN = "    fade: {rule: %s, days: 5, scalar: 5.3, weight: 1}\n"
ROOT = Path(__file__).resolve().parents[2]


def complaint(folder: Path, text: str, name: str = "mine.yaml") -> str:
    (folder / "strategies").mkdir(exist_ok=True)
    (folder / "strategies" / name).write_text(text)
    with pytest.raises(ConfigError) as error:
        checked_config(folder)
    return str(error.value).replace(f"{folder}/", "")


MISTAKES = (
    ("wieght: 1\n" + MINE, "1:1: wieght: unknown key (did you mean weight?)."),
    ("weight: 0\n" + MINE, "1:1: weight: Input should be greater than 0; found 0."),
    ("weight: .inf\n" + MINE, "1:1: weight: Input should be a finite number; found inf."),
    (MINE + "weight: 1\nweight: 2\n",
     "5:1: weight: this key stands here twice (first in strategies/mine.yaml:4:1). Keep one of them."),
    ("system: 5\n", "1:1: system: this is a section with keys of its own; found 5."),
    ("system: {}\n", "1:1: system.forecast_rules: this key is missing; add it."),
    ("weight: 1\n", "1:1: system.forecast_rules: this key is missing; add it."),
    (MINE + "  bufer_size: 0.1\n", "4:3: system.bufer_size: unknown key (did you mean buffer_size?)."),
    (MINE + "  timezone: Europe/Atlantis\n",
     "4:3: system.timezone: 'Europe/Atlantis' is no time zone; write a name such as Europe/London."),
    (MINE + "  risk_overlay:\n    levrage: 3\n",
     "5:5: system.risk_overlay.levrage: unknown key (did you mean leverage?)."),
    (MINE + "  instrument_weights: {A: 0.0, B: 0}\n",
     "1:1: system: instrument_weights adds up to nothing; leave it out for equal weights."),
    (MINE + "  instruments:\n    - A\n    - NO\n",
     "4:3: system.instruments: write all, or a list of codes (one that looks like a number or like yes in quotes); "
     "found ['A', False]."),
    (MINE.replace("slow", "slaw"),
     "3:5: system.forecast_rules.trend: rule ewmac needs exactly fast, slow (missing: slow, unknown: slaw)."),
    (MINE.replace("32", "quick"),
     "3:5: system.forecast_rules.trend: slow of rule ewmac must be a whole number of at least 1; found 'quick'."),
    (MINE.replace("ewmac", "ewma"), "3:5: system.forecast_rules.trend: there is no rule ewma (there: accel, "),
    (MINE.replace(", weight: 1", ""),
     "1:1: system: rules without a weight: trend; write one, or forecast_weight_estimate "),
    (MINE + OWN % "no_rules.fade",
     "4:5: system.forecast_rules.fade: the module no_rules of rule no_rules.fade cannot be found; check the path, and "
     "that the service can import it (PYTHONPATH)."),
)


@pytest.mark.parametrize(("text", "expected"), MISTAKES)
def test_a_mistake_names_its_place(text: str, expected: str, tmp_path: Path) -> None:
    said = complaint(tmp_path, text)
    assert said.startswith(f"strategies/mine.yaml:{expected}")
    assert said.count("strategies/mine.yaml:") == 1 + said.count("first in")


def test_the_line_is_shown_with_a_caret(tmp_path: Path) -> None:
    assert complaint(tmp_path, MINE + "  bufer_size: 0.1\n").splitlines()[1:] == [
        "    4 |   bufer_size: 0.1", "          ^"]


def test_a_wrong_name_is_told_beside_the_mistakes_of_the_others(tmp_path: Path) -> None:
    complaint(tmp_path, "weight: 0\n" + MINE)
    said = complaint(tmp_path, MINE, "other.yml")
    assert said.splitlines()[0] == "strategies/mine.yaml:1:1: weight: Input should be greater than 0; found 0."
    assert said.splitlines()[-1].startswith("strategies/other.yml:1:1: it is not read. Rename it to other.yaml, or")


def test_a_folder_in_the_place_of_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "strategies" / "mine.yaml").mkdir(parents=True)
    with pytest.raises(ConfigError, match=r"mine\.yaml:1:1: it cannot be read: Is a directory\."):
        checked_config(tmp_path)


def test_a_rule_of_ones_own_is_found_but_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # given a module that would leave a mark, inside of a package that would
    package = tmp_path / "jobs" / "own_package"
    package.mkdir(parents=True)
    for file in ("__init__.py", "rules.py"):
        (package / file).write_text("raise SystemExit('imported')\n")
    monkeypatch.syspath_prepend(str(tmp_path / "jobs"))

    # then it is accepted where it is, and the settings are left to the worker
    (tmp_path / "strategies").mkdir()
    (tmp_path / "strategies" / "mine.yaml").write_text(MINE + OWN % "own_package.rules.fade")
    assert list(checked_config(tmp_path).strategies) == ["mine"]
    assert "own_package" not in sys.modules
    assert "the module own_package.more of rule" in complaint(tmp_path, MINE + OWN % "own_package.more.fade")


def test_who_cannot_see_the_modules_of_the_service_may_leave_them_to_it(tmp_path: Path) -> None:
    (tmp_path / "strategies").mkdir()
    (tmp_path / "strategies" / "mine.yaml").write_text(MINE + OWN % "no_rules.fade")
    assert list(checked(tmp_path, is_there=lambda _module: True).config.strategies) == ["mine"]


def test_checking_loads_nothing_that_computes() -> None:
    code = ("import sys; from pathlib import Path; from daemon.configuration.checked_config import checked_config; "
            "checked_config(Path('config')); print(*sys.modules)")
    loaded = set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                                cwd=ROOT).stdout.split())
    assert not loaded & {"pandas", "numpy", "scipy", "sklearn", "pyarrow", "pymongo"}
    assert {name for name in loaded if name.startswith("trading.systems.rules.")} == {"trading.systems.rules.registry"}


def test_the_mistake_that_the_document_shows_is_told_like_that(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "how_to" / "add_a_strategy.md").read_text()
    text = page.partition("# draft/strategies/mine.yaml\n")[2].partition("```")[0]
    shown = [line[4:] for line in page.partition("All mistakes are told at once")[2].splitlines() if line[:4] == "    "]
    assert complaint(tmp_path, text.replace("fast: 32", "fast: 128")).splitlines() == [
        shown[0].removeprefix("draft/"), *shown[1:]]
