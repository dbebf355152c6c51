"""Alerts that are only remembered."""

from dataclasses import dataclass, field

from trading.control.alert import AlertKind, Severity


@dataclass
class Told:
    """What is open, and how loud."""

    open: dict[tuple[AlertKind, str], tuple[str, Severity | None]] = field(default_factory=dict)

    def tell(self, kind: AlertKind, subject: str, text: str, severity: Severity | None = None) -> None:
        self.open[kind, subject] = (text, severity)

    def over(self, kind: AlertKind, subject: str) -> None:
        self.open.pop((kind, subject), None)

    def kinds(self) -> set[AlertKind]:
        return {kind for kind, _ in self.open}
