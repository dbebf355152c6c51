"""The tutorial runs as it stands, and prints what it says."""

import contextlib
import io
import re
from pathlib import Path

import pytest

TUTORIAL = Path(__file__).resolve().parents[2] / "docs" / "tutorial.md"


def test_the_tutorial_prints_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [program] = re.findall(r"^```python\n(.*?)^```", TUTORIAL.read_text(), re.MULTILINE | re.DOTALL)
    [said] = re.findall(r"^```text\n(.*?)^```", TUTORIAL.read_text(), re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(tmp_path)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(program, str(TUTORIAL), "exec"), {})
    assert printed.getvalue() == said


def test_the_stages_that_it_names_are_there() -> None:
    from trading.systems.production_system import standard_stages

    stages = {stage.name: stage for stage in standard_stages()}
    named = re.findall(r"`system\.(\w+)\.(\w+)\(", TUTORIAL.read_text())
    assert len(named) >= 4
    for stage, method in named:
        assert hasattr(stages[stage], method), f"{stage}.{method}"
