"""Log lines: one event a line, `key=value` pairs behind it. Imported by the daemon and the workers, not by tradectl.

Under systemd an event is an entry of the journal with fields of its own (trading/journal.py).
"""

import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TextIO, cast

import structlog

from trading.journal import SOCKET, STREAM_VARIABLE, Journal, connected_to_journal
from trading.line_queue import QueuedFile


def configure_log(level: str = "INFO", journal: Path = SOCKET, file: "TextIO | QueuedFile | None" = None) -> None:
    """Write events of `level` and above to `file`, with UTC time, or to the journal that stands behind standard error.

    Args:
        file: standard error, or what stands for it in a process that must never wait for its reader.
    """
    errors = cast(TextIO, file or sys.stderr)
    lines = structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0, sort_keys=False)
    in_journal = connected_to_journal(os.environ.get(STREAM_VARIABLE))
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%Y-%m-%dT%H:%M:%S.%fZ", utc=True),
            structlog.processors.format_exc_info,
            into(Journal(journal, errors)) if in_journal else lines,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.WriteLoggerFactory(file=errors),
        cache_logger_on_first_use=False,
    )
    logging.getLogger("ib_async").setLevel(logging.CRITICAL)  # its complaints reach us as errors and journal rows
    logging.basicConfig(level=logging.WARNING, stream=errors, format="%(levelname)s %(name)s: %(message)s")


def into(journal: Journal) -> Callable[[Any, str, Any], NoReturn]:
    """The last step of an event: it goes to `journal`, and no line is printed."""
    def write(_logger: Any, _method: str, event: Any) -> NoReturn:
        journal.write(event)
        raise structlog.DropEvent
    return write


def get_log() -> structlog.stdlib.BoundLogger:
    """A logger: `log.info("event_name", key=value)`."""
    return cast(structlog.stdlib.BoundLogger, structlog.get_logger())
