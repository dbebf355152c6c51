"""An incident of risk: the broker's answer to "what if" was no answer."""

from dataclasses import replace

from made_proposals import SETTINGS, a_proposal, a_snapshot  # shared with the tests of the controls

from trading.risk.check import Outcome
from trading.risk.controls.account import rc_23
from trading.risk.snapshot import AccountFacts, Margin

UNKNOWN = 1.7976931348623157e308


def test_ib_insync_380_a_sentinel_is_no_margin() -> None:
    """What-if said 1.79e308, or nothing in no currency, and it was taken at its word."""
    # given an answer that is none, and a table of our own that leaves too little
    for answer in (Margin(initial_after=UNKNOWN, maintenance_after=0.0, equity_after=1000.0, currency="USD"),
                   Margin(initial_after=0.0, maintenance_after=0.0, equity_after=1000.0, currency="")):
        own = Margin(initial_after=700.0, maintenance_after=0.0, equity_after=1000.0, currency="USD")
        account = AccountFacts(nav=1e7, margin=answer, own_margin=own)

        # when new risk is judged
        check = rc_23(a_proposal(), replace(a_snapshot(), account=account), SETTINGS)

        # then our own table decides, made larger
        assert check.outcome is Outcome.DENY
        assert check.number == 910.0
