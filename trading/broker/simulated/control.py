"""What can be asked of a running gateway beside its wire: faults, its clock, its books. Requests in, answers out.

Synchronous and without sockets; the server carries the lines.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Final

from trading.broker.simulated.faults.fault import fault_of
from trading.broker.simulated.faults.strike import strike
from trading.broker.simulated.gateway import Gateway
from trading.broker.simulated.moving_clock import MovingClock
from trading.broker.simulated.options import changes_of, told
from trading.errors import ConfigError, TradingError

Values = dict[str, Any]


class Control:
    """Answers one line at a time."""

    def __init__(self, gateway: Gateway, clock: MovingClock) -> None:
        self._gateway, self._clock = gateway, clock
        self.is_stopping = False
        self._verbs: Final[Mapping[str, Callable[[Values], Values]]] = {
            "fault": self._fault, "faults": self._faults, "clear": self._clear, "clock": self._move,
            "settings": self._settings, "state": self._state, "stop": self._stop}

    def answer(self, line: bytes) -> bytes:
        """The answer to a JSON object `{"do": VERB, ...}`, as a line; a refusal is `{"error": SENTENCE}`."""
        try:
            return _line(self._done(_request(line)))
        except TradingError as error:
            return _line({"error": str(error), "is_usage": isinstance(error, ConfigError)})

    def _done(self, request: Any) -> Values:
        verb = request.pop("do", "")
        if verb not in self._verbs:
            raise ConfigError(f"The gateway does not know {verb!r}. Allowed: {', '.join(self._verbs)}.")
        return self._verbs[verb](request)

    def _fault(self, values: Values) -> Values:
        return {"done": strike(self._gateway, fault_of(values))}

    def _faults(self, _values: Values) -> Values:
        return {"faults": self._gateway.faults.rows(self._clock.monotonic_s())}

    def _clear(self, _values: Values) -> Values:
        return {"done": f"{self._gateway.faults.clear()} faults were taken back."}

    def _settings(self, values: Values) -> Values:
        """Those that `values` name are changed; the answer has all."""
        if values:
            self._gateway.change(changes_of(values).applied(self._gateway.settings))
        return {"settings": told(self._gateway.settings)}

    def _move(self, values: Values) -> Values:
        """`speed`, `to` (an instant) or `forward_s`."""
        try:
            self._move_clock(values)
        except ValueError as error:
            raise ConfigError(f"The clock cannot be moved so: {error}. An instant is written as in "
                              f"2021-10-13T12:00:00+00:00, `speed` and `forward_s` are numbers.") from error
        self._gateway.poll()
        return {"now": self._clock.now().isoformat(), "speed": self._clock.speed}

    def stop(self) -> None:
        """The server ends at its next turn."""
        self.is_stopping = True

    def _move_clock(self, values: Values) -> None:
        if "speed" in values:
            self._clock.run(float(values["speed"]))
        if "to" in values:
            self._clock.move_to(datetime.fromisoformat(str(values["to"])))
        if "forward_s" in values:
            self._clock.move_to(self._clock.now() + timedelta(seconds=float(values["forward_s"])))

    def _stop(self, _values: Values) -> Values:
        self.stop()
        return {"done": "The gateway stops; its orders and positions stay."}

    def _state(self, _values: Values) -> Values:
        """The books: what a test compares the daemon's with."""
        book = self._gateway.book
        return {"now": self._clock.now().isoformat(), "speed": self._clock.speed,
                "clients": sorted(self._gateway.sessions), "requests": dict(self._gateway.requests),
                "orders": [asdict(order) for order in book.orders.values()],
                "executions": [asdict(fill) for fill in book.effective()],
                "positions": {name: {str(held.con_id): held.quantity for held in own.open_holdings()}
                              for name, own in book.accounts.items()}}


def _request(line: bytes) -> Values:
    try:
        request = json.loads(line)
    except ValueError as error:
        raise ConfigError(f"The request is no JSON: {error}.") from error
    if not isinstance(request, dict):
        raise ConfigError("The request is no JSON object.")
    return request


def _line(values: Values) -> bytes:
    return json.dumps(values, default=str).encode() + b"\n"
