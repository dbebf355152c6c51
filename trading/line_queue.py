"""Lines for standard output and standard error, written by a thread of their own: a terminal that was stopped, a pipe
that nobody reads or a slow disk under the log must not stop trading.
"""

import atexit
import os
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Final

MOST: Final = 10_000
_LAST_WORDS_S: Final = 1.0


class LineQueue:
    """Takes lines at once and writes them as fast as they are read; the newest are left out while `most` wait.

    What was left out is counted, and said as soon as lines are read again.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._lines: deque[tuple[int, bytes]] = deque()
        self._changed = threading.Condition()
        self._left_out = 0
        self._thread = threading.Thread(target=self._write_forever, name="lines", daemon=True)

    def start(self) -> "LineQueue":
        """Write from now on; at the end of the process wait a moment for what has not been read."""
        self._thread.start()
        atexit.register(self.flush, _LAST_WORDS_S)
        return self

    def put(self, handle: int, line: str) -> None:
        """Take `line`, with its line break, for the file behind `handle`. Never waits for who reads it."""
        with self._changed:
            if len(self._lines) >= self._most:
                self._left_out += 1
                return
            self._lines.append((handle, line.encode(errors="backslashreplace")))
            self._changed.notify_all()

    def flush(self, within_s: float) -> bool:
        """Wait until all that was taken is written; False when that takes longer."""
        deadline_s = time.monotonic() + within_s
        with self._changed:
            while self._lines:
                left_s = deadline_s - time.monotonic()
                if left_s <= 0:
                    return False
                self._changed.wait(left_s)
        return True

    def _write_forever(self) -> None:
        while True:
            with self._changed:
                while not self._lines:
                    self._changed.wait()
                handle, line = self._lines[0]
            _write(handle, line)
            with self._changed:
                self._lines.popleft()
                if self._left_out and not self._lines:
                    self._lines.append((handle, _said(self._left_out)))
                    self._left_out = 0
                self._changed.notify_all()


def _said(left_out: int) -> bytes:
    return f"{left_out} line{'s were' if left_out > 1 else ' was'} left out: nobody read them in time.\n".encode()


def _write(handle: int, line: bytes) -> None:
    """All of `line`; where nobody can read any more it is lost."""
    while line:
        try:
            line = line[os.write(handle, line):]
        except BlockingIOError:
            time.sleep(0.01)  # a terminal that somebody made non-blocking
        except OSError:
            return


@dataclass(frozen=True)
class QueuedFile:
    """What `print` and loggers write to: whole lines go to `queue`."""

    queue: LineQueue
    handle: int

    def write(self, text: str) -> int:
        """Take `text`, which ends with a line break."""
        self.queue.put(self.handle, text)
        return len(text)

    def flush(self) -> None:
        """Nothing to do: lines are written as soon as they can be."""
