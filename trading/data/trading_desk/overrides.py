"""Overrides: what an operator lays over the wishes of a strategy, of an instrument, or of one in the other."""

from dataclasses import dataclass
from typing import ClassVar

from pymongo.client_session import ClientSession

from trading.data.mongo.controls import StoredOverride
from trading.data.trading_desk.cancel import name
from trading.data.trading_desk.deed import Deed, Plan, Signed
from trading.data.trading_desk.records import Records
from trading.errors import ConfigError, NotFound
from trading.risk.overrides import NO_OVERRIDE, Override, OverrideKind, combined, forbids, parse_override


@dataclass(frozen=True, kw_only=True)
class SetOverride(Deed):
    """`override` as an operator types it: no-open, reduce-only, close, no-trade, or a factor such as 0.5."""

    verb: ClassVar[str] = "set-override"
    override: str
    strategy: str | None = None
    instrument: str | None = None

    def plan(self, records: Records, signed: Signed) -> Plan:
        wanted, where = _parsed(self.override), where_of(self.strategy, self.instrument)
        if self.strategy is not None:
            records.check_strategy(self.strategy)
        if self.instrument is not None:
            records.check_instrument(self.instrument)
        known = _find(records, self.strategy, self.instrument)
        stored = _stored(self.strategy, self.instrument, wanted, signed)
        return Plan(before={where: known.override.words if known else "none"}, after={where: wanted.words},
                    meaning=f"For {where}: {wanted.meaning}.", done=f"{where}: {wanted.words}.",
                    warnings=(*_others(records, stored), *_taken_back(records, stored)),
                    write=lambda session: records.overrides.put(stored, session))


@dataclass(frozen=True, kw_only=True)
class ClearOverride(Deed):
    """Take away the override of exactly this strategy and instrument; with `everything` all that are stored."""

    verb: ClassVar[str] = "clear-override"
    strategy: str | None = None
    instrument: str | None = None
    everything: bool = False

    def plan(self, records: Records, signed: Signed) -> Plan:
        gone = self._found(records)
        names = {where_of(each.strategy, each.instrument): each.override.words for each in gone}

        def write(session: ClientSession) -> None:
            for each in gone:
                records.overrides.put(_stored(each.strategy, each.instrument, NO_OVERRIDE, signed), session)

        return Plan(before=names, after=dict.fromkeys(names, "none"), write=write,
                    meaning="What strategies want holds again, as far as no other override covers it.",
                    done=f"No override any more: {'; '.join(names)}.")

    def _found(self, records: Records) -> list[StoredOverride]:
        if self.everything and (self.strategy or self.instrument):
            raise ConfigError("Either everything, or a strategy or instrument. Nothing was changed.")
        where = "" if self.everything else where_of(self.strategy, self.instrument)
        found = [each for each in records.overrides.all()
                 if self.everything or (each.strategy, each.instrument) == (self.strategy, self.instrument)]
        if not found:
            raise NotFound(f"There is no override{where and f' of {where}'}. See: tradectl overrides")
        return found


def where_of(strategy: str | None, instrument: str | None) -> str:
    """In words; raises ConfigError for nothing at all: that would be everything."""
    if strategy is None and instrument is None:
        raise ConfigError("Name a strategy, an instrument, or both; for everything: tradectl halt. Nothing was "
                          "changed.")
    if strategy is not None and instrument is not None:
        return f"{instrument} of {strategy}"
    return f"strategy {strategy}" if instrument is None else f"{instrument} of every strategy"


def _parsed(words: str) -> Override:
    found = parse_override(words)
    if found.kind is OverrideKind.FACTOR and found.factor >= 1:
        raise ConfigError("That changes nothing. To take an override away: tradectl overrides clear. "
                          "Nothing was changed.")
    return found


def _find(records: Records, strategy: str | None, instrument: str | None) -> StoredOverride | None:
    return next((each for each in records.overrides.all()
                 if (each.strategy, each.instrument) == (strategy, instrument)), None)


def _stored(strategy: str | None, instrument: str | None, override: Override, signed: Signed) -> StoredOverride:
    return StoredOverride(strategy=strategy, instrument=instrument, override=override, who=signed.who,
                          reason=signed.why, at=signed.at)


def _others(records: Records, new: StoredOverride) -> tuple[str, ...]:
    """Stricter ones that cover all of the same and so make this one say nothing."""
    wider = [each for each in records.overrides.all()
             if (each.strategy, each.instrument) != (new.strategy, new.instrument)
             and each.strategy in (None, new.strategy) and each.instrument in (None, new.instrument)]
    return tuple(f"{where_of(each.strategy, each.instrument)} is at {each.override.words}, which is stricter and holds."
                 for each in wider if combined([each.override, new.override]) != new.override)


def _taken_back(records: Records, new: StoredOverride) -> tuple[str, ...]:
    """Open orders that it forbids."""
    held = records.strategy_positions()
    return tuple(f"{name(order)} adds risk and is taken back." for order in records.orders.open_instrument_orders()
                 if new.covers(order.strategy, order.instrument)
                 and forbids(new.override, order.residual, held.get((order.strategy, order.instrument), 0)))
