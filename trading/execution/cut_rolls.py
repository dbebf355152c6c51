"""A roll that its trade limit makes smaller or holds back, in words for a person. Pure.

What is not rolled stays in the front month, in silence, until it is delivered (RC-07; pst #932).
"""

from collections.abc import Iterable

from trading.execution.orders import ContractOrder, InstrumentOrder, StoredCheck
from trading.risk.check import Outcome


def cut_roll(roll: InstrumentOrder, legs: Iterable[ContractOrder]) -> str:
    """What the limit said of `roll`, or last of one of its legs; empty when it has let all of it pass."""
    found = _said(roll.checks) or next((words for leg in legs if (words := _said(leg.checks))), "")
    return f"{roll.roll_from} to {roll.roll_to} of {roll.strategy}: {found}" if found else ""


def _said(checks: Iterable[StoredCheck]) -> str:
    answers = [check for check in checks if check.control == "RC-07"]
    return answers[-1].sentence if answers and answers[-1].outcome != Outcome.PASS else ""
