"""What a driver saw in one case, and the questions that a judgement asks of it. Pure."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

FARMS: Final = frozenset({2104, 2106, 2158})
OWN_REFUSAL: Final = re.compile(r"already in use\?$|API connection failed: ")  # a library about its second connection


@dataclass(frozen=True, kw_only=True)
class CaseReport:
    """One case of one client."""

    case: str
    facts: Mapping[str, Any]
    events: tuple[Mapping[str, Any], ...]
    problems: tuple[str, ...]

    def named(self, name: str) -> list[list[Any]]:
        """The arguments of every callback `name`."""
        return [each["args"] for each in self.events if each["name"] == name]

    @property
    def codes(self) -> list[int]:
        """Errors in their order, without the notices of farms."""
        return [int(args[1]) for args in self.named("error") if args[1] not in FARMS]

    def statuses(self, order_id: int) -> list[str]:
        """What was said of an order, repetitions left out."""
        said = [args[1] for args in self.named("orderStatus") if args[0] == order_id]
        return [status for place, status in enumerate(said) if place == 0 or said[place - 1] != status]

    def echoes(self, order_id: int) -> list[Mapping[str, Any]]:
        return [args[2] for args in self.named("openOrder") if args[0] == order_id]

    def executions(self, order_id: int) -> list[Mapping[str, Any]]:
        return [args[2] for args in self.named("execDetails") if args[2].get("orderId") == order_id]

    def commissions(self) -> list[str]:
        return [args[0]["execId"] for args in self.named("commissionReport")]

    def positions(self, con_id: float) -> list[float]:
        return [args[2] for args in self.named("position") if args[1]["conId"] == con_id]


def report_of(line: str) -> CaseReport:
    """One line of a driver."""
    row = json.loads(line)
    return CaseReport(case=row["case"], facts=row["facts"], events=tuple(row["events"]),
                      problems=tuple(row["problems"]))


def unexpected(report: CaseReport, codes: tuple[int, ...]) -> list[str]:
    """What went wrong on the client's side, or was refused although the case expects only `codes`."""
    problems = [each for each in report.problems
                if not (report.case.startswith("c07") and OWN_REFUSAL.search(each))]
    return problems + [f"error {code}" for code in report.codes if code not in codes]
