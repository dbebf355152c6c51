"""What one run prints, kept within bounds: the newest output, at most so many bytes a second, never a blocked job."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

RATE_BYTES_S: Final = 2_000_000  # in the long run; more than this is left out, and said so
BURST_BYTES: Final = 8_000_000


@dataclass
class RunOutput:
    """The log file of a run. Half of the limit is one file; the older half lies beside it as `.1`."""

    path: Path
    limit_bytes: int
    _file: int = -1
    _size: int = 0
    _allowance: float = BURST_BYTES
    _refilled_s: float | None = None
    _left_out: int = field(default=0)

    def open(self) -> None:
        """Create the file; a later attempt at the same run appends."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
        self._size = os.fstat(self._file).st_size

    def accept(self, text: bytes, now_s: float) -> None:
        """Keep `text`, or as much of it as is allowed at `now_s` (monotonic)."""
        self._refill(now_s)
        allowed = min(len(text), int(self._allowance))
        if self._left_out and allowed == len(text):
            self._write(self._about_left_out())
        self._allowance -= allowed
        self._left_out += len(text) - allowed
        self._write(text[:allowed])

    def close(self) -> None:
        """Say what was left out at last, and close."""
        if self._left_out:
            self._write(self._about_left_out())
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _refill(self, now_s: float) -> None:
        passed_s = 0.0 if self._refilled_s is None else now_s - self._refilled_s
        self._allowance = min(self._allowance + passed_s * RATE_BYTES_S, BURST_BYTES)
        self._refilled_s = now_s

    def _about_left_out(self) -> bytes:
        count, self._left_out = self._left_out, 0
        return f"\n[{count:,} bytes left out: more than {RATE_BYTES_S:,} a second, or the disk was full]\n".encode()

    def _write(self, text: bytes) -> None:
        if not text:
            return
        try:
            if self._file < 0:
                self.open()
            if self._size + len(text) > self.limit_bytes // 2 and self._size:
                self._rotate()
            self._size += os.write(self._file, text)
        except OSError:
            self._left_out += len(text)

    def _rotate(self) -> None:
        os.replace(self.path, self.path.with_name(self.path.name + ".1"))
        os.close(self._file)
        self._file = -1
        self.open()
