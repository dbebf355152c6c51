"""How much may we trade, and did we ask for it already? RC-07, RC-08, RC-18. Pure."""

from dataclasses import replace

from trading.risk.check import Check, Outcome, Severity, cut_down, denied, held, passed, unknown
from trading.risk.controls.effects import account_effect
from trading.risk.order_kind import OrderKind
from trading.risk.proposal import Action, Proposal
from trading.risk.settings import RiskSettings
from trading.risk.snapshot import Snapshot, TradeLimits
from trading.risk.trade_limits import DAY, MONTH, Bucket, TradedLots, cut, remaining


def rc_07(proposal: Proposal, snapshot: Snapshot, _settings: RiskSettings) -> Check:
    """Trade limits of the instrument and of the strategy in it, 1 and 30 days; rolls have a bucket of their own.

    Cuts, and holds when nothing is left; both are told, and those of rolls are critical (pst #932: silence).
    FLATTEN passes: leaving everything is not held up by what was traded before.
    """
    if proposal.kind is OrderKind.FLATTEN:
        return passed("RC-07", proposal.quantity)
    facts, activity = snapshot.instrument, snapshot.activity
    bucket = Bucket.ROLLS if proposal.kind is OrderKind.ROLL else Bucket.TRADES
    left = _left(facts.trade_limits, activity.traded, bucket, snapshot)
    if bucket is Bucket.TRADES:
        left += _left(facts.strategy_trade_limits, activity.strategy_traded, bucket, snapshot)
    known = [each for each in left if each is not None]
    if len(known) < len(left):
        return unknown("RC-07", f"A trade limit of {proposal.instrument}, or what was traded,", proposal.quantity,
                       account_effect(proposal, snapshot))
    return _told(proposal, min(known), bucket)


def _left(limits: TradeLimits, traded: tuple[TradedLots, ...] | None, bucket: Bucket,
          snapshot: Snapshot) -> list[int | None]:
    """Lots that each window leaves, None when unknown."""
    by_window = ((DAY, limits.day), (MONTH, limits.month)) if bucket is Bucket.TRADES else \
        ((DAY, limits.rolls_day), (MONTH, limits.rolls_month))
    return [None if limit is None or traded is None else remaining(traded, limit, bucket, window, snapshot.now)
            for window, limit in by_window]


def _told(proposal: Proposal, left: int, bucket: Bucket) -> Check:
    what = f"The trade limit for {bucket.lower()} in {proposal.instrument}"
    check = cut_down("RC-07", proposal.quantity, cut(proposal.quantity, left), left, what)
    if check.outcome is Outcome.PASS:
        return check
    loud = Severity.CRITICAL if bucket is Bucket.ROLLS else Severity.WARNING
    return replace(check, severity=loud, outcome=Outcome.HOLD if check.allowed == 0 else check.outcome)


def rc_08(proposal: Proposal, snapshot: Snapshot, settings: RiskSettings) -> Check:
    """Size of one order: the rest is for the next slice."""
    size = snapshot.instrument.order_size_limit
    size = settings.size.unset_order_size if size is None else max(1, size)
    return cut_down("RC-08", proposal.quantity, cut(proposal.quantity, size), size, "The size of one order")


def rc_18(proposal: Proposal, snapshot: Snapshot, settings: RiskSettings) -> Check:
    """Duplicates: one key, one order; and no twin of an order of another parent within a minute."""
    activity, effect = snapshot.activity, account_effect(proposal, snapshot)
    if activity.is_known_key is None or activity.recent is None:
        return unknown("RC-18", "Whether the order exists already", proposal.quantity, effect)
    if activity.is_known_key and proposal.action is Action.NEW:
        return denied("RC-18", f"The order {proposal.key} exists already; nothing is made twice.", proposal.key)
    since = snapshot.now - settings.flow.duplicate_window
    twin = next((each for each in activity.recent if each.sent_at > since and each.parent != proposal.parent
                 and (each.contract, each.quantity) == (proposal.contract, proposal.quantity)
                 and each.limit_price == proposal.limit_price), None)
    if twin is None:
        return passed("RC-18", proposal.quantity)
    return held("RC-18", f"{twin.parent} sent the same order at {twin.sent_at:%H:%M:%S} UTC. It waits "
                         f"{settings.flow.duplicate_window.total_seconds():.0f} s from then.", twin.parent)
