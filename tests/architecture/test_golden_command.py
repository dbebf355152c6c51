"""make golden names what it does not find."""

import os
import subprocess
import sys
from pathlib import Path

COMPARE = Path(__file__).resolve().parents[1] / "golden" / "compare.py"


def compared(oracle: Path, data: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, str(COMPARE)], capture_output=True, text=True, check=False, timeout=120,
                          env=os.environ | {"ORACLE": str(oracle), "DATA": str(data)})


def test_a_directory_that_is_missing_is_named(tmp_path: Path) -> None:
    done = compared(tmp_path / "none", tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"There is no directory {tmp_path / 'none'}. Name one that is laid out like")


def test_a_directory_without_a_case_is_no_success(tmp_path: Path) -> None:
    done = compared(tmp_path, tmp_path)
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1].startswith("0 passed, 0 failed, ")
