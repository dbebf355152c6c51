"""Log lines: one event a line, `key=value` pairs behind it. Imported by the daemon and the workers, not by tradectl."""

import logging
import sys
from typing import Any, cast

import structlog


def configure_log(level: str = "INFO") -> None:
    """Write events of `level` and above to standard error, with UTC time."""
    renderer: Any = structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0, sort_keys=False)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%Y-%m-%dT%H:%M:%S.%fZ", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.getLogger("ib_async").setLevel(logging.CRITICAL)  # its complaints reach us as errors and journal rows
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")


def get_log() -> structlog.stdlib.BoundLogger:
    """A logger: `log.info("event_name", key=value)`."""
    return cast(structlog.stdlib.BoundLogger, structlog.get_logger())
