"""One daemon a state directory: a lock that the kernel releases when its holder dies, however it dies."""

import fcntl
import os
from pathlib import Path

from trading.errors import ConfigError, TradingError


class StateInUse(TradingError):
    """Another process holds the state directory."""

    def __init__(self, state: Path, holder: str) -> None:
        self.holder = holder or "unknown"
        super().__init__(f"The state directory {state} is in use by process {holder or 'unknown'}. Stop it first "
                         f"(tradectl stop), or choose another directory with --state.")


class StateUnusable(ConfigError):
    """The state directory is none, or belongs to somebody else."""

    def __init__(self, state: Path, error: OSError) -> None:
        super().__init__(f"The state directory {state} cannot be used: {error.strerror}. Choose another one with "
                         f"--state, or get the right to write there.")


class StateLock:
    """Held from construction until `release` or the end of the process."""

    def __init__(self, file: Path, state: Path) -> None:
        try:
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
            self._file = file.open("a+")
        except OSError as error:
            raise StateUnusable(state, error) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.seek(0)
            holder = self._file.read().strip()
            self._file.close()
            raise StateInUse(state, holder) from error
        self._file.truncate(0)
        self._file.write(str(os.getpid()))
        self._file.flush()

    def release(self) -> None:
        self._file.truncate(0)
        self._file.close()
