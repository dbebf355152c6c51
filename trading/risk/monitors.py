"""What all monitors want together: the highest level, the strictest override, and what to tell. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from trading.risk.check import Check, Outcome, Severity
from trading.risk.kill_level import Cause, KillLevel
from trading.risk.overrides import Override, combined


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """`level` is K0 when nothing is to be raised; its `cause` is DATA only when data alone asks for that level.

    `override` is for the whole account; that of a strategy (RC-27) stays in its own check.
    """

    level: KillLevel
    cause: Cause
    reasons: tuple[Check, ...]   # that ask for `level`
    override: Override
    alerts: tuple[Check, ...]    # all above INFO, loudest first


def wanted(checks: Iterable[Check]) -> Wanted:
    """Combine checks of monitors; one that holds new risk until data is sound asks for K2."""
    checks = tuple(checks)
    level = max((_level(check) for check in checks), default=KillLevel.K0_NORMAL)
    reasons = tuple(check for check in checks if level is not KillLevel.K0_NORMAL and _level(check) is level)
    only_data = bool(reasons) and all(check.cause is Cause.DATA for check in reasons)
    account = combined(check.override for check in checks if check.override is not None and check.control == "RC-26")
    loud = [check for check in checks if check.severity is not Severity.INFO]
    return Wanted(level=level, cause=Cause.DATA if only_data else Cause.CONTROL, reasons=reasons, override=account,
                  alerts=tuple(sorted(loud, key=lambda check: check.severity is not Severity.CRITICAL)))


def _level(check: Check) -> KillLevel:
    if check.level is not None:
        return check.level
    return KillLevel.K2_NO_NEW_RISK if check.outcome is Outcome.HOLD else KillLevel.K0_NORMAL
