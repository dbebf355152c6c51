"""What a process of ours says to who reads its output: sentences and log lines, which nobody's reading holds up."""

from collections.abc import Callable
from typing import Final

from trading.line_queue import LineQueue, QueuedFile
from trading.log import configure_log

_OUTPUT: Final = 1
_ERRORS: Final = 2


def speak_without_waiting(*, verbose: bool) -> Callable[[str], None]:
    """Set the log up; how a sentence is said on standard output."""
    lines = LineQueue().start()
    configure_log("INFO" if verbose else "WARNING", file=QueuedFile(lines, _ERRORS))
    return lambda sentence: lines.put(_OUTPUT, f"{sentence}\n")
