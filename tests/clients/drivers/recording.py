"""What a client saw: every callback as plain values, every complaint of its library. Runs in the client's own venv."""

import logging
import re
import sys
import threading
import time
from collections.abc import Callable
from decimal import Decimal
from enum import Enum
from math import isnan
from typing import Any

PATIENCE_S = 8.0
UNSET = (2147483647, 9223372036854775807)
SAID_BY_THE_GATEWAY = re.compile(r"^(Error|Warning) \d+, reqId|^Canceled order: |^IBKR API validation warning: ")

Event = dict[str, Any]


class Recorder:
    """The events of one connection, in the order in which the client's library handed them over."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._changed = threading.Condition()

    def add(self, name: str, *args: Any) -> None:
        with self._changed:
            self.events.append({"name": name, "args": [plain(each) for each in args]})
            self._changed.notify_all()

    def since(self, mark: int) -> list[Event]:
        return self.events[mark:]

    def until(self, mark: int, is_so: Callable[[list[Event]], Any], patience_s: float = PATIENCE_S) -> bool:
        deadline = time.monotonic() + patience_s
        with self._changed:
            while not is_so(self.since(mark)):
                if not self._changed.wait(deadline - time.monotonic()):
                    return bool(is_so(self.since(mark)))
        return True


class Complaints(logging.Handler):
    """What the library logged and what ended its threads; the gateway's own errors are events, no complaints."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []
        logging.getLogger().addHandler(self)
        threading.excepthook = self._thread_ended

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if not SAID_BY_THE_GATEWAY.match(text):
            cause = f": {record.exc_info[1]!r}" if record.exc_info else ""
            self.texts.append(f"{record.name} logged {text}{cause}")

    def take(self) -> list[str]:
        texts, self.texts = self.texts, []
        return texts

    def _thread_ended(self, args: Any) -> None:
        self.texts.append(f"a thread ended with {args.exc_value!r}")
        sys.__excepthook__(args.exc_type, args.exc_value, args.exc_traceback)


def plain(value: Any) -> Any:
    """Numbers as numbers, objects as their fields that say something; unset is None."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, int | float | Decimal):
        return None if value in UNSET or abs(value) > 1e300 or isnan(value) else float(value)
    if isinstance(value, list | tuple | set) and not hasattr(value, "_fields"):
        return [plain(each) for each in value]
    fields = value._asdict() if hasattr(value, "_asdict") else vars(value) if hasattr(value, "__dict__") else {}
    if not fields:
        return str(value)
    clean = {name: plain(each) for name, each in fields.items()}
    return {name: each for name, each in clean.items() if each not in (None, "", 0.0, [], {})}
