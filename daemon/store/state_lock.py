"""One daemon a state directory: a lock that the kernel releases when its holder dies, however it dies."""

import fcntl
import os
import time
from pathlib import Path
from typing import Final

from trading.errors import ConfigError, TradingError

_COMMAND: Final = "command"
_LOOK_EVERY_S: Final = 0.05


class StateInUse(TradingError):
    """Another process holds the state directory; `is_brief`: a command that reads, or one that has not said yet."""

    def __init__(self, state: Path, holder: str, *, is_brief: bool) -> None:
        self.holder, self.is_brief = holder or "unknown", is_brief
        remedy = "Try again when that command has ended" if is_brief else "Stop it first (tradectl stop)"
        super().__init__(f"The state directory {state} is in use by process {self.holder}. {remedy}, or choose "
                         f"another directory with --state.")


class StateUnusable(ConfigError):
    """The state directory is none, or belongs to somebody else."""

    def __init__(self, state: Path, error: OSError) -> None:
        super().__init__(f"The state directory {state} cannot be used: {error.strerror}. Choose another one with "
                         f"--state, or get the right to write there.")


class StateLock:
    """Held from construction until `release` or the end of the process.

    Args:
        file: the lock.
        state: the directory that it stands for.
        command: whether the holder is a command, which is done in a moment.

    Raises:
        StateInUse: another process has it.
        StateUnusable: there is no such directory, and none can be made.
    """

    def __init__(self, file: Path, state: Path, *, command: bool = False) -> None:
        try:
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
            self._file = file.open("a+")
        except OSError as error:
            raise StateUnusable(state, error) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.seek(0)
            pid, _, purpose = self._file.read().strip().partition(" ")
            self._file.close()
            raise StateInUse(state, pid, is_brief=not pid or purpose == _COMMAND) from error
        self._file.truncate(0)
        self._file.write(f"{os.getpid()} {_COMMAND}" if command else str(os.getpid()))
        self._file.flush()

    def release(self) -> None:
        self._file.truncate(0)
        self._file.close()


def locked_within(within_s: float, file: Path, state: Path, *, command: bool = False) -> StateLock:
    """The lock, as soon as whoever only reads has ended.

    Raises:
        StateInUse: a service has it, or a command that takes longer.
    """
    deadline_s = time.monotonic() + within_s
    while True:
        try:
            return StateLock(file, state, command=command)
        except StateInUse as error:
            if not error.is_brief or time.monotonic() > deadline_s:
                raise
        time.sleep(_LOOK_EVERY_S)
