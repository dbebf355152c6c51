"""Asks a running gateway, from another process: faults, its clock, its books."""

import json
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from trading.broker.simulated.settings import CONTROL_SOCKET
from trading.errors import ConfigError, TradingError
from trading.unix_socket import short_path

TIMEOUT_S: Final = 30.0


@dataclass(frozen=True)
class GatewayControl:
    """The gateway whose memory is the folder `state`."""

    state: Path

    def fault(self, kind: str, **values: Any) -> str:
        """Let something go wrong; what was done. See Fault for the values."""
        return str(self._ask("fault", kind=kind, **values)["done"])

    def faults(self) -> list[dict[str, Any]]:
        """What waits or lasts."""
        return list(self._ask("faults")["faults"])

    def clear(self) -> str:
        """Take all back that waits or lasts."""
        return str(self._ask("clear")["done"])

    def settings(self, **changes: Any) -> dict[str, str]:
        """All settings by name, after `changes`."""
        return dict(self._ask("settings", **changes)["settings"])

    def clock(self, **values: Any) -> dict[str, Any]:
        """Read the clock, or move it: `speed`, `to` or `forward_s`."""
        return self._ask("clock", **values)

    def stop(self) -> str:
        """End the gateway, and return when it has ended; its folder stays."""
        done = str(self._ask("stop")["done"])
        deadline_s = time.monotonic() + TIMEOUT_S
        while (self.state / CONTROL_SOCKET).exists() and time.monotonic() < deadline_s:
            time.sleep(0.05)
        return done

    def state_of(self) -> dict[str, Any]:
        """Clients, orders, executions and positions."""
        return self._ask("state")

    def _ask(self, verb: str, **values: Any) -> dict[str, Any]:
        """
        Raises:
            TradingError: no gateway runs there, or it refuses.
        """
        try:
            answer: dict[str, Any] = json.loads(self._answer(json.dumps({"do": verb, **values}).encode() + b"\n"))
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise TradingError(f"No simulated gateway answers in {self.state} ({reason}). "
                               f"Start one: tradectl sim start") from error
        if "error" in answer:
            raise (ConfigError if answer.get("is_usage") else TradingError)(answer["error"])
        return answer

    def _answer(self, line: bytes) -> bytes:
        with short_path(self.state / CONTROL_SOCKET) as address, socket.socket(socket.AF_UNIX) as end:
            end.settimeout(TIMEOUT_S)
            end.connect(address)
            end.sendall(line)
            return end.makefile("rb").readline()
