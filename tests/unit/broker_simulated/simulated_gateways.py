"""Gateways for tests: the modules are loaded once and each gateway is a fork, ready in no time and as good to kill.

Each line of the input names the folder of one; the answer is its process id. All end with the input.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

from simulated_record import serve_until_killed


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # whoever ends is gone at once
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _be_a_gateway(Path(line.rstrip("\n")))
        print(pid, flush=True)
    os.killpg(0, signal.SIGKILL)


def _be_a_gateway(folder: Path) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), sys.stdin.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    try:
        asyncio.run(serve_until_killed(folder))
    finally:
        os._exit(1)


if __name__ == "__main__":
    main()
