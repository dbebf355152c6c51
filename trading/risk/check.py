"""What one control says about one order: its decision, the number that decided, and a sentence to a person. Pure.

Every check is stored on the order, so "why was it not sent" is one query. Source: orders_and_risk.md section 3.
"""

from dataclasses import dataclass
from enum import StrEnum

from trading.risk.exposure import Effect
from trading.risk.kill_level import Cause, KillLevel
from trading.risk.overrides import Override

Number = float | str | None  # ints are floats to a reader; text for times, names and prices on their grid


class Outcome(StrEnum):
    """What happens to the order; whatever is neither PASS nor CUT ends the evaluation."""

    PASS = "PASS"    # noqa: S105 -- go on, with all lots; no password
    CUT = "CUT"      # go on, with fewer lots
    HOLD = "HOLD"    # not now: ask again later, or have it approved
    DENY = "DENY"    # never: the order ends
    LOCK = "LOCK"    # never, and the instrument is disabled until a named person enables it
    LEVEL = "LEVEL"  # never, and the kill level rises


class Severity(StrEnum):
    """How loud a check is, beside being stored."""

    INFO = "INFO"
    WARNING = "WARNING"
    CRITICAL = "CRITICAL"


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """One decision. `allowed` is in signed lots: 0 unless it passes or is cut; monitors of no order have 0."""

    control: str
    outcome: Outcome
    allowed: int = 0
    number: Number = None
    limit: Number = None
    sentence: str = ""
    severity: Severity = Severity.INFO
    level: KillLevel | None = None     # to raise to, with LEVEL, or from a monitor
    cause: Cause = Cause.CONTROL       # of that level
    override: Override | None = None   # to lay on, from a monitor


def passed(control: str, allowed: int = 0, number: Number = None, limit: Number = None, sentence: str = "") -> Check:
    """The control has nothing against it."""
    return Check(control=control, outcome=Outcome.PASS, allowed=allowed, number=number, limit=limit, sentence=sentence)


def denied(control: str, sentence: str, number: Number = None, limit: Number = None) -> Check:
    return Check(control=control, outcome=Outcome.DENY, number=number, limit=limit, sentence=sentence,
                 severity=Severity.WARNING)


def held(control: str, sentence: str, number: Number = None, limit: Number = None) -> Check:
    return Check(control=control, outcome=Outcome.HOLD, number=number, limit=limit, sentence=sentence)


def cut_down(control: str, asked: int, allowed: int, limit: Number, what: str) -> Check:
    """PASS when all is allowed, CUT when some is, DENY when nothing is. `what` names the limit in a sentence."""
    if allowed == asked:
        return passed(control, asked, asked, limit)
    outcome = Outcome.CUT if allowed else Outcome.DENY
    sentence = f"{what} allows {allowed:+d} of {asked:+d} lots."
    return Check(control=control, outcome=outcome, allowed=allowed, number=asked, limit=limit, sentence=sentence)


def unknown(control: str, what: str, quantity: int, effect: Effect) -> Check:
    """Something that the control needs is not known: new risk is denied, reductions go on."""
    if effect is Effect.REDUCES_RISK:
        return passed(control, quantity, sentence=f"{what} is unknown; the order only reduces risk.")
    return denied(control, f"{what} is unknown, so only orders that reduce risk may pass. Set it, or wait until it is "
                           f"known.")
