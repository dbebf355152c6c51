"""The tour: every case once through one client against one gateway; a line of JSON for each. Judges nothing.

    DRIVER HOST PORT STATE CASE... [LIBRARY]

STATE is the folder of the gateway, whose control socket moves its clock. Runs in the client's own venv: standard
library only.
"""

import json
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recording import PATIENCE_S, Complaints, Event

ACCOUNT = "DU0000001"
OURS = 8
FARMS = (2104, 2106, 2158)


@dataclass(frozen=True)
class Bars:
    """A request for history."""

    size: str = "1 day"
    duration: str = "10 D"
    what: str = "TRADES"
    format_date: int = 1
    keep: bool = False
    end: str = ""


class Tour:
    """What a case has in its hands."""

    def __init__(self, new_client: Callable[[], Any], address: tuple[str, int], state: Path) -> None:
        self.new_client, self.address, self.state = new_client, address, state
        self.client = new_client()
        self.mark = 0
        self.problems: list[str] = []
        self.months: list[Event] = []  # contracts of the first market, near months first

    def connect(self) -> float:
        return float(self.client.connect(*self.address, OURS))

    @contextmanager
    def another(self, client_id: int, *, read_only: bool = False) -> Iterator[Any]:
        client = self.new_client()
        client.seconds = client.connect(*self.address, client_id, read_only=read_only)
        yield client
        client.disconnect()

    def control(self, verb: str, **values: Any) -> dict[str, Any]:
        with socket.socket(socket.AF_UNIX) as end:
            end.settimeout(PATIENCE_S)
            end.connect(str(self.state / "control.sock"))
            end.sendall(json.dumps({"do": verb, **values}).encode() + b"\n")
            answer = json.loads(end.makefile().readline())
        assert "error" not in answer, answer
        return dict(answer)

    @property
    def seen(self) -> list[Event]:
        return list(self.client.recorder.since(self.mark))

    def until(self, what: str, is_so: Callable[[list[Event]], Any], patience_s: float = 4.0) -> None:
        if not self.client.recorder.until(self.mark, is_so, patience_s):
            self.problems.append(f"waited in vain for {what}")

    def until_event(self, *names: str) -> None:
        """Each of `names` since the case began, or an error other than that of a farm."""
        for name in names:
            self.until(name, lambda seen, name=name: named(seen, name) or errors(seen))

    def until_status(self, order_id: int, *wanted: str) -> None:
        self.until(f"order {order_id} {'/'.join(wanted)}", lambda seen: statuses(seen, order_id)[-1:] and
                   statuses(seen, order_id)[-1] in wanted)

    def until_error(self, code: int, count: int = 1) -> None:
        self.until(f"error {code}", lambda seen: len(errors(seen, code)) >= count)

    def settled(self) -> None:
        """All that was asked before has been answered: the gateway answers in order."""
        before = len(named(self.seen, "currentTime"))
        self.client.current_time()
        self.until("currentTime", lambda seen: len(named(seen, "currentTime")) > before)

    def future(self, place: int = 0, **more: Any) -> Any:
        facts = self.months[place]["contract"]
        return self.client.contract(conId=int(facts["conId"]), symbol="AL", secType="FUT", exchange="CME",
                                    currency="USD", **more)

    @property
    def price(self) -> float:
        """A price far below the market, on the tick grid."""
        return 100.0

    def place(self, terms: dict[str, Any], contract: Any = None, client: Any = None) -> int:
        client = client or self.client
        order_id = int(client.new_order_id())
        client.place(order_id, self.future() if contract is None else contract, client.order(**terms))
        return order_id

    def place_resting(self, **more: Any) -> int:
        order_id = self.place(limit("BUY", 1, self.price, **more))
        self.until_status(order_id, "Submitted", "PreSubmitted")
        return order_id

    def cancel(self, order_id: int) -> None:
        self.client.cancel(order_id)
        self.until_status(order_id, "Cancelled")


def limit(action: str, size: float, price: float, **more: Any) -> dict[str, Any]:
    return {"action": action, "totalQuantity": size, "orderType": "LMT", "lmtPrice": price, "tif": "GTC", **more}


def market(action: str, size: float, **more: Any) -> dict[str, Any]:
    return {"action": action, "totalQuantity": size, "orderType": "MKT", "tif": "DAY", **more}


def named(seen: list[Event], name: str) -> list[list[Any]]:
    return [each["args"] for each in seen if each["name"] == name]


def errors(seen: list[Event], code: int | None = None) -> list[list[Any]]:
    return [args for args in named(seen, "error")
            if (args[1] == code if code is not None else args[1] not in FARMS)]


def statuses(seen: list[Event], order_id: int) -> list[str]:
    return [args[1] for args in named(seen, "orderStatus") if args[0] == order_id]


Case = Callable[[Tour], dict[str, Any] | None]


def run_case(tour: Tour, case: Case, complaints: Complaints) -> dict[str, Any]:
    tour.mark, tour.problems = len(tour.client.recorder.events), []
    started = time.monotonic()
    facts: dict[str, Any] = {}
    if tour.months and not tour.client.is_connected and not case.__name__.endswith("after_the_restart"):
        return {"facts": {}, "events": [], "problems": ["the connection is gone"], "seconds": 0.0}
    try:
        facts = case(tour) or {}
        if tour.client.is_connected and tour.client.version:
            tour.settled()
    except Exception as error:  # noqa: BLE001 a case that breaks is what the tour looks for
        tour.problems.append(f"{type(error).__name__}: {error}")
    late = getattr(tour.client, "late", [])
    problems = [*tour.problems, *complaints.take(), *late]
    late.clear()
    return {"facts": facts, "events": tour.seen, "problems": problems, "seconds": time.monotonic() - started}


def main(new_client: Callable[[], Any]) -> None:
    from cases import CASES

    host, port, state, *names = sys.argv[1:]
    complaints = Complaints()
    tour = Tour(new_client, (host, int(port)), Path(state))
    for name in names:
        print(json.dumps({"case": name, **run_case(tour, CASES[name], complaints)}), flush=True)
    tour.client.disconnect()
