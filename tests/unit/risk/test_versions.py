"""RC-30 and RC-41: what runs is what a person has let run."""

from dataclasses import replace

import pytest

from trading.risk.check import Outcome
from trading.risk.controls.versions import Versions, at_start, rc_30, rc_41

KNOWN = Versions(code="c0ffee00aa", schema=1, config="facade00bb")


def test_what_ran_before_may_run() -> None:
    assert {check.outcome for check in at_start(KNOWN, KNOWN)} == {Outcome.PASS}


@pytest.mark.parametrize("other", [replace(KNOWN, code="deadbeef01"), replace(KNOWN, schema=2)])
def test_knight_another_program_trades_only_when_a_person_says_so(other: Versions) -> None:
    assert rc_30(other, KNOWN).outcome is Outcome.PASS
    check = rc_41(other, KNOWN)
    assert check.outcome is Outcome.DENY
    assert check.sentence.startswith(f"Program {other.code[:8]} with schema {other.schema} runs, but c0ffee00 with ")
    assert "tradectl resume-trading" in check.sentence


def test_a_configuration_that_nobody_brought_trades_nothing() -> None:
    other = replace(KNOWN, config="0ddba110cc")
    assert rc_41(other, KNOWN).outcome is Outcome.PASS
    check = rc_30(other, KNOWN)
    assert check.outcome is Outcome.DENY
    assert check.sentence.startswith("Configuration 0ddba110 runs, but facade00 is the newest on record.")
