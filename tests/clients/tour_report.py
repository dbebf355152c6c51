"""The whole tour of one client, for the tests to ask case by case."""

from collections.abc import Mapping
from dataclasses import dataclass

from client_table import ForeignClient
from report import CaseReport, unexpected


@dataclass(frozen=True, kw_only=True)
class TourReport:
    """Everything that one client saw."""

    client: ForeignClient
    cases: Mapping[str, CaseReport]
    said: str  # by the driver, to a person
    log: str  # of the gateway

    def case(self, name: str, *, codes: tuple[int, ...] = ()) -> CaseReport:
        """The report of `name`; nothing may have gone wrong in it but the errors `codes`."""
        assert name in self.cases, f"the driver ended before {name}: {self.said[-2000:]}"
        assert unexpected(self.cases[name], codes) == []
        return self.cases[name]
