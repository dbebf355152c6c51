"""Limits of lots: held, traded within some days, or sent in one order."""

from dataclasses import dataclass
from typing import ClassVar

from trading.data.trading_desk.deed import Deed, DeedRefused, Plan, Signed
from trading.data.trading_desk.records import Records
from trading.errors import ConfigError, NotFound
from trading.risk.limits import Limit, LimitKind

MOST_DAYS = 366


@dataclass(frozen=True, kw_only=True)
class SetLimit(Deed):
    """`kind`: position, trade or order; `days` for trade only. A computed one (`automatic`) gives way to a person's."""

    verb: ClassVar[str] = "set-limit"
    kind: str
    instrument: str
    lots: int
    strategy: str | None = None
    days: int = 0
    automatic: bool = False

    def plan(self, records: Records, signed: Signed) -> Plan:
        limit, known = self._limit(records, signed), None
        known = next((each for each in records.limits.all() if each.id == limit.id), None)
        if self.automatic and known is not None and not known.is_automatic:
            raise DeedRefused(f"{words_of(known)} was set to {known.lots} by {known.who} ({known.reason}); a computed "
                              f"limit does not replace it. Nothing was changed.")
        where = words_of(limit)
        return Plan(before={where: known.lots if known else None}, after={where: limit.lots}, meaning=_meaning(limit),
                    done=f"{where}: {limit.lots} lots.", warnings=self._warnings(records, limit),
                    write=lambda session: records.limits.put(limit, session))

    def _limit(self, records: Records, signed: Signed) -> Limit:
        records.check_instrument(self.instrument)
        if self.strategy is not None:
            records.check_strategy(self.strategy)
        kind = kind_of(self.kind)
        return Limit(kind=kind, instrument=self.instrument, lots=self.lots, strategy=self.strategy,
                     days=_days(kind, self.days), who=signed.who, reason=signed.why, is_automatic=self.automatic,
                     at=signed.at)

    def _warnings(self, records: Records, limit: Limit) -> tuple[str, ...]:
        held = abs(records.holding(limit.strategy, limit.instrument).position)
        if limit.kind is LimitKind.POSITION and held > limit.lots:
            return (f"{held} lots are held, {held - limit.lots} more than that: only reductions pass until it is met.",)
        return ()


@dataclass(frozen=True, kw_only=True)
class ClearLimit(Deed):
    """Take a limit away: what adds risk is then denied, for nobody has said how much may be."""

    verb: ClassVar[str] = "clear-limit"
    kind: str
    instrument: str
    strategy: str | None = None
    days: int = 0

    def plan(self, records: Records, signed: Signed) -> Plan:  # noqa: ARG002 (a deed is always signed)
        kind = kind_of(self.kind)
        wanted = Limit(kind=kind, instrument=self.instrument, lots=0, strategy=self.strategy,
                       days=_days(kind, self.days))
        known = next((each for each in records.limits.all() if each.id == wanted.id), None)
        if known is None:
            raise NotFound(f"There is no {words_of(wanted)}. See: tradectl limits")
        where = words_of(known)
        return Plan(before={where: known.lots}, after={where: None}, done=f"{where}: not set.",
                    meaning="A limit that nobody has set is no permission: what adds risk is denied, less is allowed.",
                    write=lambda session: records.limits.remove(known, session))


def kind_of(word: str) -> LimitKind:
    """Raises ConfigError for an unknown word."""
    try:
        return LimitKind(word)
    except ValueError as error:
        raise ConfigError(f"{word!r} is no kind of limit (allowed: {', '.join(LimitKind)}). "
                          f"Nothing was changed.") from error


def words_of(limit: Limit) -> str:
    """What it limits, for a person."""
    span = f" within {limit.days} day{'s' * (limit.days > 1)}" if limit.days else ""
    return f"{limit.kind} limit of {limit.instrument}{f' of {limit.strategy}' if limit.strategy else ''}{span}"


def _days(kind: LimitKind, days: int) -> int:
    if kind is LimitKind.TRADE and not 1 <= days <= MOST_DAYS:
        raise ConfigError(f"A trade limit counts over 1 to {MOST_DAYS} days, not {days}: add --days 1. "
                          f"Nothing was changed.")
    return days


def _meaning(limit: Limit) -> str:
    who = f"{limit.strategy} may" if limit.strategy else "All strategies together may"
    span = f"{limit.days} day{'s' * (limit.days > 1)}"
    return {LimitKind.POSITION: f"{who} hold at most {limit.lots} lots of {limit.instrument}, long or short.",
            LimitKind.TRADE: f"{who} trade at most {limit.lots} lots of {limit.instrument} in any {span}.",
            LimitKind.ORDER: f"{who} send at most {limit.lots} lots of {limit.instrument} in one order."}[limit.kind]
