"""Our adapter's acceptance suite with ib_insync, the library that its users know, in the place of its successor."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from client_table import ROOT

pytestmark = pytest.mark.clients

PYTHON = ROOT / ".venv-clients" / "ib_insync" / "bin" / "python"
SUITE = ("tests/contract/test_broker_adapter.py", "tests/contract/test_broker_connection.py")


def test_the_adapter_passes_its_acceptance_suite_with_ib_insync(tmp_path: Path) -> None:
    words = [str(PYTHON), str(ROOT / "tests" / "clients" / "with_ib_insync.py"), sysconfig.get_paths()["purelib"],
             "--override-ini", "addopts=", "-p", "no:cacheprovider", "--basetemp", str(tmp_path / "suite"), *SUITE]
    done = subprocess.run(words, cwd=ROOT, env=os.environ | {"GATEWAY_PYTHON": sys.executable}, capture_output=True,
                          text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert " passed" in done.stdout
