"""An embedded server of our own for a test, stopped by whoever started it."""

import subprocess
import time
from pathlib import Path

from daemon.store.embedded_store import free_port, server_program
from trading.data.mongo.connection import connect
from trading.errors import StoreError


def start_server(folder: Path, *flags: str) -> tuple["subprocess.Popen[bytes]", str]:
    """A server of ours and its address, as soon as it answers (or refuses)."""
    port = free_port()
    process = subprocess.Popen([server_program(), "--port", str(port), "--storage-path", str(folder / "store"),
                                "--sync-on-commit", "--log-level", "ERROR", *flags])
    uri, deadline = f"mongodb://127.0.0.1:{port}/", time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            connect(uri, "probe", 1.0).close()
            break
        except StoreError as error:
            if "standalone" in str(error):
                break
            time.sleep(0.05)
    return process, uri
