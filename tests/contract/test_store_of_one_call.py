"""The embedded store of a reading command: it ends with the command, whatever happens to either of them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from embedded_server import start_server

from daemon.store.embedded_store import end_server
from trading.data.mongo.connection import connect

PARENT = """
import subprocess, sys
from daemon.children.die_with_parent import dying_with_us
child = subprocess.Popen(dying_with_us(["sleep", "60"]))
print(child.pid, flush=True)
child.wait()
"""


def test_a_store_that_hears_no_signal_is_ended_all_the_same_and_what_it_confirmed_is_there(tmp_path: Path) -> None:
    process, uri = start_server(tmp_path)
    store = connect(uri, "kept")
    store.database.notes.insert_one({"_id": 1})
    store.close()
    process.send_signal(signal.SIGSTOP)
    end_server(process)
    again, uri = start_server(tmp_path)
    try:
        store = connect(uri, "kept")
        assert store.database.notes.count_documents({}) == 1
        store.close()
    finally:
        end_server(again)


def test_what_a_command_started_does_not_outlive_it() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        words = Path(f"/proc/{child}/cmdline")
        while not words.read_bytes().startswith(b"sleep"):
            time.sleep(0.01)  # it is still the wrapper
        os.kill(parent.pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while words.exists() and words.read_bytes():
        assert time.monotonic() < deadline, "it is still there"
        time.sleep(0.02)
