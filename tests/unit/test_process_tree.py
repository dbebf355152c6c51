"""Who belongs to a run: also a program whose environment the kernel does not show yet."""

import os
from pathlib import Path

import pytest

from daemon.children.process_tree import _is_being_started
from trading.clock import boottime_s

MARK = b"TRADINGD_RUN_ID=job@1#1"


def a_process(folder: Path, environment: bytes, age_s: float = 0.0, program: str | None = "/bin/sleep") -> Path:
    """What /proc shows of a process, as far as it matters."""
    place = folder / "99999999"
    place.mkdir()
    (place / "environ").write_bytes(environment)
    ticks = int((boottime_s() - age_s) * os.sysconf("SC_CLK_TCK"))
    (place / "stat").write_text(f"99999999 (a (b) c) S {' '.join(['0'] * 18)} {ticks} 0\n")
    if program is not None:
        (place / "exe").symlink_to(program)
    return place


@pytest.mark.parametrize(("environment", "age_s", "program", "again"), [
    (b"", 0.0, "/bin/sleep", True), (b"", 60.0, "/bin/sleep", False), (b"", 0.0, None, False),
    (b"PATH=/bin\0", 0.0, "/bin/sleep", False)])
def test_only_a_program_that_is_being_started_is_looked_at_again(
        tmp_path: Path, environment: bytes, age_s: float, program: str | None, again: bool) -> None:
    assert _is_being_started(a_process(tmp_path, environment, age_s, program), MARK) is again


def test_one_with_the_mark_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    killed: list[int] = []
    monkeypatch.setattr(os, "kill", lambda pid, _number: killed.append(pid))
    place = a_process(tmp_path, b"PATH=/bin\0" + MARK + b"\0")
    assert not _is_being_started(place, MARK)
    assert killed == [99999999]
    assert not _is_being_started(place, MARK + b"0")
    assert killed == [99999999]
