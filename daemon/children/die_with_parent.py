"""Run a command that the kernel kills when its parent dies: `python -m daemon.children.die_with_parent PARENT WORDS...`

Keeps the embedded store and the simulated gateway from outliving a daemon that was killed with -9. Standard library
only: it starts in a few milliseconds and then becomes the command.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int, number: int = signal.SIGKILL) -> None:
    """Ask for signal `number` when the parent dies; exits at once when it is dead already."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def dying_with_us(command: Sequence[str]) -> tuple[str, ...]:
    """The words that start `command` so that it does not outlive this process."""
    return sys.executable, "-S", "-E", __file__, str(os.getpid()), *command


if __name__ == "__main__":
    die_with_parent(int(sys.argv[1]), signal.SIGKILL)
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606 (no shell is what we want)
