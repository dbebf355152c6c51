"""May this order be made, and for how many lots? The three places where it is asked. Pure.

`at_decision` (T1) when an instrument order is made, `at_intent` (T2) when a broker order is intended, `at_gate` just
before the message leaves, by independent counters. A cut feeds the next control; the first that neither passes nor cuts
ends it. At the gate nothing is cut any more: an order that is too large there is refused.

Order: orders_and_risk.md section 3, "Order of evaluation". It names no place for some controls that its table puts
there; they stand where their inputs do. T1: 37 and 38 after 36. T2: 01 first, 36 after 15, 03 before 05, 45 and 43
after it, 11 before 12, 10b after 10, 18 after 20, 23b before 23. G: 28 and 15 after 01; 03, 05, 43, 45 and 08 before
09; 13 before 10, 34 before 35.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from trading.risk.check import Check, Outcome, Severity
from trading.risk.controls.account import rc_23, rc_23b
from trading.risk.controls.decision import rc_09, rc_31, rc_32, rc_37, rc_38
from trading.risk.controls.gate import rc_33, rc_34, rc_35
from trading.risk.controls.market import rc_13, rc_14, rc_15
from trading.risk.controls.order_flow import rc_16, rc_17, rc_19, rc_20, rc_21
from trading.risk.controls.position import rc_02, rc_03, rc_04, rc_05, rc_06, rc_43
from trading.risk.controls.price import rc_10, rc_10b, rc_11, rc_12
from trading.risk.controls.roll import rc_45
from trading.risk.controls.state import rc_01, rc_22, rc_28, rc_36
from trading.risk.controls.trade import rc_07, rc_08, rc_18
from trading.risk.order_kind import OrderKind
from trading.risk.proposal import Proposal
from trading.risk.settings import RiskSettings
from trading.risk.snapshot import Snapshot

Control = Callable[[Proposal, Snapshot, RiskSettings], Check]

AT_DECISION: Final[tuple[Control, ...]] = (
    rc_28, rc_01, rc_31, rc_36, rc_37, rc_38, rc_02, rc_32, rc_03, rc_04, rc_06, rc_43, rc_09, rc_18, rc_23)
AT_INTENT: Final[tuple[Control, ...]] = (
    rc_01, rc_22, rc_21, rc_14, rc_15, rc_36, rc_13, rc_07, rc_03, rc_05, rc_45, rc_43, rc_08, rc_11, rc_12, rc_10,
    rc_10b, rc_19, rc_20, rc_18, rc_17, rc_23b, rc_23, rc_16)
AT_GATE: Final[tuple[Control, ...]] = (
    rc_01, rc_28, rc_15, rc_33, rc_03, rc_05, rc_43, rc_45, rc_08, rc_09, rc_13, rc_10, rc_12, rc_34, rc_35, rc_16)
PANIC_SKIPS: Final[frozenset[Control]] = frozenset({  # never the size, 09 or 33
    rc_07, rc_13, rc_14, rc_18, rc_23, rc_23b})


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What may be done: `quantity` signed lots, 0 unless it passed or was cut; and every check, to be stored."""

    quantity: int
    outcome: Outcome
    checks: tuple[Check, ...]
    settings_version: str

    @property
    def decisive(self) -> Check | None:
        """The check that ended it, or the last that cut it; None when all passed."""
        return next((check for check in reversed(self.checks) if check.outcome is not Outcome.PASS), None)


def at_decision(proposal: Proposal, snapshot: Snapshot, settings: RiskSettings) -> Verdict:
    """T1: an instrument order, before its contract is chosen."""
    return _evaluated(AT_DECISION, proposal, snapshot, settings)


def at_intent(proposal: Proposal, snapshot: Snapshot, settings: RiskSettings) -> Verdict:
    """T2: a broker order, in the same transaction that stores its intent."""
    return _evaluated(AT_INTENT, proposal, snapshot, settings)


def at_gate(proposal: Proposal, snapshot: Snapshot, settings: RiskSettings) -> Verdict:
    """G: the message that is about to leave; `snapshot` does not count it among what works or was sent."""
    return _evaluated(AT_GATE, proposal, snapshot, settings, may_cut=False)


def _evaluated(controls: Sequence[Control], proposal: Proposal, snapshot: Snapshot, settings: RiskSettings, *,
               may_cut: bool = True) -> Verdict:
    checks: list[Check] = []
    outcome = Outcome.PASS
    skipped = PANIC_SKIPS if proposal.kind is OrderKind.PANIC else frozenset()
    for control in controls:
        if control in skipped:
            continue
        check = control(proposal, snapshot, settings)
        if check.outcome is Outcome.CUT and not may_cut:
            check = replace(check, outcome=Outcome.DENY, allowed=0, severity=Severity.WARNING)
        checks.append(check)
        if check.outcome is Outcome.CUT:
            outcome, proposal = Outcome.CUT, replace(proposal, quantity=check.allowed)
        elif check.outcome is not Outcome.PASS:
            return Verdict(quantity=0, outcome=check.outcome, checks=tuple(checks), settings_version=settings.version)
    return Verdict(quantity=proposal.quantity, outcome=outcome, checks=tuple(checks),
                   settings_version=settings.version)
