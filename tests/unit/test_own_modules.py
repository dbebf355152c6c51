"""Modules of somebody's own: found where they are, and never imported by looking."""

import sys
from pathlib import Path

import pytest

from daemon.configuration.own_modules import module_is_there


@pytest.mark.parametrize(("name", "expected"), [
    ("json", True), ("json.decoder", True), ("json.nothing", False), ("nothing_here", False),
    ("json.decoder.deeper", False), ("sys", True), ("daemon.configuration.boot", True)])
def test_a_module_is_looked_for(name: str, expected: bool) -> None:
    assert module_is_there(name) is expected


def test_a_package_without_a_file_of_its_own_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bare" / "inner").mkdir(parents=True)
    (tmp_path / "bare" / "inner" / "rules.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    assert module_is_there("bare.inner.rules") is True
    assert "bare" not in sys.modules
