"""Monitors: what is looked at all the time, order or no order. RC-22, 24 to 27, 29, 42, 44, 45. Pure.

Each returns a Check: LEVEL with the kill level to raise, HOLD for what pauses new risk until data is sound again, PASS
with a severity for what only alerts, and an override for what shrinks positions.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from trading.risk.check import Check, Outcome, Severity, passed
from trading.risk.kill_level import Cause, KillLevel
from trading.risk.overrides import CLOSE, REDUCE_ONLY, Override
from trading.risk.settings import AccountSettings, FlowSettings, RiskSettings
from trading.risk.snapshot import SystemFacts


@dataclass(frozen=True, kw_only=True, slots=True)
class LossReading:
    """The day's result as a share of NAV at the start of the session, negative when lost."""

    at: datetime
    day_return: float


@dataclass(frozen=True, kw_only=True, slots=True)
class NavTrack:
    """The last good NAV, and while it is in doubt the newest reading (NaN: no number) and how many agree with it."""

    good: float | None = None
    candidate: float | None = None
    reads: int = 0

    @property
    def is_sound(self) -> bool:
        return self.good is not None and self.candidate is None


def rc_22_monitor(unknown_ages: Sequence[timedelta], settings: FlowSettings) -> Check:
    """Unknown orders, by how long each has been unknown: several, or one for long, stop new risk."""
    oldest = max(unknown_ages, default=timedelta())
    if len(unknown_ages) < settings.unknown_orders and oldest <= settings.unknown_age:
        return passed("RC-22", number=len(unknown_ages), limit=settings.unknown_orders)
    return _level("RC-22", KillLevel.K2_NO_NEW_RISK, f"The fate of {len(unknown_ages)} order(s) is unknown, of the "
                  f"oldest for {oldest.total_seconds() / 60:.0f} min.", len(unknown_ages), settings.unknown_orders)


def nav_after(track: NavTrack, nav: float, settings: AccountSettings) -> NavTrack:
    """The track after one reading: a large move counts only when several readings in a row agree."""
    if not 0 < nav < math.inf:  # NaN is neither
        return replace(track, candidate=math.nan, reads=0)
    if track.candidate is None and track.good is not None and _near(nav, track.good, settings):
        return NavTrack(good=nav)
    agrees = track.candidate is not None and _near(nav, track.candidate, settings)
    reads = track.reads + 1 if agrees else 1
    return NavTrack(good=nav) if reads >= settings.nav_consistent_reads else \
        NavTrack(good=track.good, candidate=nav, reads=reads)


def _near(nav: float, other: float, settings: AccountSettings) -> bool:
    return abs(nav - other) <= settings.nav_move * abs(other)


def rc_24(track: NavTrack, settings: AccountSettings) -> Check:
    """Equity sanity: while readings disagree the last good one is used, and new risk waits."""
    if track.is_sound:
        return passed("RC-24", number=track.good)
    return Check(control="RC-24", outcome=Outcome.HOLD, number=track.candidate, limit=track.good, cause=Cause.DATA,
                 severity=Severity.WARNING, sentence=f"NAV reads {track.candidate} after {track.good}; new risk waits "
                                                     f"for {settings.nav_consistent_reads} consistent readings.")


def rc_25(readings: Sequence[LossReading], settings: AccountSettings) -> Check:
    """Daily loss, newest reading last: a level needs several readings beyond it in a row, each well after the last."""
    if not readings or math.isnan(readings[-1].day_return):
        return Check(control="RC-25", outcome=Outcome.HOLD, cause=Cause.DATA, severity=Severity.WARNING,
                     sentence="The day's result is unknown; new risk waits until it is known.")
    loss = -readings[-1].day_return
    for level, limit in ((KillLevel.K3_HALT, settings.day_loss_halt),
                         (KillLevel.K2_NO_NEW_RISK, settings.day_loss_no_new_risk)):
        if _confirmed(readings, limit, settings):
            return _level("RC-25", level, f"{loss:.2%} of NAV were lost today.", loss, limit)
    severity = Severity.INFO if loss < settings.day_loss_alert else Severity.WARNING
    return replace(passed("RC-25", number=loss, limit=settings.day_loss_alert,
                          sentence=f"Lost today: {loss:.2%} of NAV."), severity=severity)


def _confirmed(readings: Sequence[LossReading], limit: float, settings: AccountSettings) -> bool:
    """Whether the newest readings all lose `limit` or more, and enough of them lie far enough apart."""
    confirmations, last = 0, None
    for reading in reversed(readings):
        if not -reading.day_return >= limit:
            return False
        if last is None or last - reading.at >= settings.day_loss_spacing:
            confirmations, last = confirmations + 1, reading.at
        if confirmations >= settings.day_loss_confirmations:
            return True
    return False


def rc_26(nav: float, high_water_mark: float, settings: AccountSettings) -> Check:
    """Drawdown: an override that shrinks, reduces, then closes. Keep the strictest until a person re-arms it."""
    drawdown = 1 - nav / high_water_mark if high_water_mark > 0 else math.nan
    for limit, override in ((settings.drawdown_close_at, CLOSE), (settings.drawdown_reduce_at, REDUCE_ONLY),
                            (settings.drawdown_factor_at, Override(factor=settings.drawdown_factor))):
        if drawdown >= limit:
            return Check(control="RC-26", outcome=Outcome.CUT, number=drawdown, limit=limit, override=override,
                         severity=Severity.CRITICAL, sentence=f"The account is {drawdown:.1%} below its highest value: "
                                                              f"{override.meaning}.")
    if drawdown < settings.drawdown_factor_at:
        return passed("RC-26", number=drawdown, limit=settings.drawdown_factor_at)
    return Check(control="RC-26", outcome=Outcome.HOLD, cause=Cause.DATA, severity=Severity.WARNING,
                 sentence="The drawdown is unknown; new risk waits until it is known.")


def rc_27(strategy: str, day_result: float, expected_day_vol: float, settings: AccountSettings) -> Check:
    """Strategy loss, in one unit of money: a day far outside of what it expects makes it reduce only."""
    limit = settings.strategy_loss_vols * expected_day_vol
    if -day_result <= limit:
        return passed("RC-27", number=-day_result, limit=limit)
    return Check(control="RC-27", outcome=Outcome.CUT, number=-day_result, limit=limit, override=REDUCE_ONLY,
                 severity=Severity.CRITICAL, sentence=f"{strategy} lost {-day_result:.0f} today, and {limit:.0f} is "
                                                      f"{settings.strategy_loss_vols:g} times its daily volatility: "
                                                      f"{REDUCE_ONLY.meaning}.")


def rc_27_monitor(checks: Mapping[str, Check]) -> Check:
    """All strategies together, by name; each has its own override in its own check."""
    losers = [check for _, check in sorted(checks.items()) if check.override is not None]
    if not losers:
        return passed("RC-27")
    return replace(passed("RC-27", number=len(losers), limit=0, sentence=" ".join(check.sentence for check in losers)),
                   severity=Severity.CRITICAL)


def rc_29(system: SystemFacts, settings: RiskSettings) -> Check:
    """Clock: near the broker's, and it has not jumped."""
    most = settings.time.clock_skew
    for what, off in (("skew of the clock", system.clock_skew), ("jump of the clock", system.clock_jump)):
        if off is None or abs(off) > most:
            size = "unknown" if off is None else f"{off.total_seconds():g} s"
            return Check(control="RC-29", outcome=Outcome.HOLD, number=size, limit=most.total_seconds(),
                         cause=Cause.DATA, severity=Severity.WARNING,
                         sentence=f"The {what} is {size}; {most.total_seconds():g} s are allowed. New risk waits.")
    return passed("RC-29", limit=most.total_seconds())


def rc_42(oldest_unacknowledged: timedelta | None, *, in_trading_hours: bool, settings: AccountSettings) -> Check:
    """Acknowledgement: a critical alert that nobody reads in trading hours stops new risk (Knight: 97 e-mails)."""
    most = settings.alert_acknowledged_within
    if oldest_unacknowledged is None or not in_trading_hours or oldest_unacknowledged < most:
        return passed("RC-42", limit=most.total_seconds())
    minutes = oldest_unacknowledged.total_seconds() / 60
    return _level("RC-42", KillLevel.K2_NO_NEW_RISK, f"Nobody has acknowledged a critical alert for {minutes:.0f} min.",
                  minutes, most.total_seconds() / 60)


def rc_44(contract: str, position: int, silent_for: timedelta | None, *, in_session: bool,
          settings: AccountSettings) -> Check:
    """Loss of data while in position: told, and never a reason to flatten. None: no quote was ever seen."""
    most = settings.quote_silence
    if position == 0 or not in_session or (silent_for is not None and silent_for < most):
        return passed("RC-44", limit=most.total_seconds())
    since = "ever" if silent_for is None else f"{silent_for.total_seconds() / 60:.0f} min"
    return replace(passed("RC-44", number=since, limit=most.total_seconds(),
                          sentence=f"No quote of {contract} for {since}, with {position:+d} lots held."),
                   severity=Severity.CRITICAL)


def rc_44_monitor(checks: Mapping[str, Check], settings: AccountSettings) -> Check:
    """All contracts together, by their keys, in words that stay the same while the silence lasts."""
    silent = sorted(contract for contract, check in checks.items() if check.severity is Severity.CRITICAL)
    if not silent:
        return passed("RC-44", limit=settings.quote_silence.total_seconds())
    minutes = settings.quote_silence.total_seconds() / 60
    return replace(checks[silent[0]], number=len(silent), limit=0, sentence=(
        f"No quote for {minutes:g} min of what we hold, while it is traded: {', '.join(silent)}. Nothing is closed."))


def _level(control: str, level: KillLevel, why: str, number: float, limit: float) -> Check:
    return Check(control=control, outcome=Outcome.LEVEL, number=number, limit=limit, level=level, sentence=why,
                 severity=Severity.CRITICAL)


def rc_45_monitor(uneven: Sequence[str]) -> Check:
    """Rolls that have ended with one leg ahead of the other, each in words: told, and nothing is done about it."""
    if not uneven:
        return passed("RC-45")
    return replace(passed("RC-45", number=len(uneven), limit=0, sentence=(
        f"A roll has ended with one leg ahead of the other: {'; '.join(uneven)}.")), severity=Severity.CRITICAL)


def rc_07_monitor(cut: Sequence[str]) -> Check:
    """Rolls that their trade limit makes smaller or holds back, each in words: what is left is not rolled."""
    if not cut:
        return passed("RC-07")
    return replace(passed("RC-07", number=len(cut), limit=0, sentence=(
        f"A trade limit keeps positions from being rolled, and what is left stays in the front month: {'; '.join(cut)} "
        f"See: tradectl limits")), severity=Severity.CRITICAL)
