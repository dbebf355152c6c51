"""Raising and lowering the kill level, for the whole system or one strategy or instrument."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from trading.data.trading_desk.deed import Deed, DeedRefused, Facts, Plan, Signed
from trading.data.trading_desk.records import Records
from trading.errors import ConfigError, NotFound
from trading.risk.kill_level import (
    Cause,
    Command,
    KillLevel,
    KillState,
    NotLowered,
    Scope,
    consequences,
    lowered,
    raised,
    resumed,
)
from trading.risk.order_kind import OrderKind

RAISED_TO: Final[Mapping[str, KillLevel]] = {
    "no-new-risk": KillLevel.K2_NO_NEW_RISK, "halt": KillLevel.K3_HALT, "sever": KillLevel.K5_SEVER}
LOWERED_TO: Final[Mapping[str, KillLevel]] = {
    "normal": KillLevel.K0_NORMAL, "no-new-risk": KillLevel.K2_NO_NEW_RISK, "halt": KillLevel.K3_HALT}


@dataclass(frozen=True, kw_only=True)
class RaiseKill(Deed):
    """Halt; or with a strategy or instrument pause only that. `cancel_working` is for a pause: other levels cancel."""

    verb: ClassVar[str] = "halt"
    level: str | None = None  # of RAISED_TO; halt when none is given
    strategy: str | None = None
    instrument: str | None = None
    cancel_working: bool = False

    def plan(self, records: Records, signed: Signed) -> Plan:
        scope, level = _scope(records, self.strategy, self.instrument), self._level()
        state = records.kills.load()
        newer = raised(state, level, command_of(signed), scope, cancels_working=self.cancel_working)
        return Plan(before=facts_of(state), after=facts_of(newer), meaning=self._meaning(level, scope),
                    done=_raised_words(state, newer, level, scope), write=_writing(records, state, newer))

    def _level(self) -> KillLevel:
        is_pause = self.strategy is not None or self.instrument is not None
        if is_pause and self.level is not None:
            raise ConfigError("A level holds for the whole system: leave out the level to pause a strategy or "
                              "instrument, or leave out both names. Nothing was changed.")
        if self.cancel_working and not is_pause:
            raise ConfigError("Whether working orders are cancelled is asked for a pause only: name a strategy or an "
                              "instrument. Nothing was changed.")
        return KillLevel.K1_PAUSE_SCOPE if is_pause else level_of(self.level or "halt", RAISED_TO)

    def _meaning(self, level: KillLevel, scope: Scope | None) -> str:
        if scope is None:
            return consequences(level)
        fate = "cancelled" if self.cancel_working else "kept"
        return f"K1 pause of {scope}: nothing adds risk in it, reducing goes on; its working orders are {fate}. " \
               f"Everything else trades on. An operator resumes it."


@dataclass(frozen=True, kw_only=True)
class LowerKill(Deed):
    """Lower the level of the whole system; or with a strategy or instrument end the pause of exactly that."""

    verb: ClassVar[str] = "resume-trading"
    level: str | None = None  # of LOWERED_TO; normal when none is given
    strategy: str | None = None
    instrument: str | None = None

    def plan(self, records: Records, signed: Signed) -> Plan:
        state = records.kills.load()
        if self.strategy is not None or self.instrument is not None:
            return self._end_pause(records, state, signed)
        level = level_of(self.level or "normal", LOWERED_TO)
        if level > state.level:
            raise DeedRefused(f"The system is at {state.level.name}, below {level.name}; this only lowers. To raise "
                              f"it: tradectl halt. Nothing was changed.")
        newer = _lowered(state, level, signed)
        return Plan(before=facts_of(state), after=facts_of(newer), meaning=consequences(level),
                    done=_lowered_words(state, newer), write=_writing(records, state, newer),
                    warnings=_what_stays(records, newer))

    def _end_pause(self, records: Records, state: KillState, signed: Signed) -> Plan:
        if self.level is not None:
            raise ConfigError("A pause has no level: leave out the level, or the names. Nothing was changed.")
        scope = Scope(strategy=self.strategy, instrument=self.instrument)
        if all(each.scope != scope for each in state.pauses):
            paused = "; ".join(str(each.scope) for each in state.pauses) or "nothing"
            raise NotFound(f"{scope} is not paused (paused: {paused}). Nothing was changed.")
        newer = resumed(state, scope, command_of(signed, or_else="(reason follows)"))
        return Plan(before=facts_of(state), after=facts_of(newer), meaning=f"{scope} is traded again.",
                    done=f"{scope} is no longer paused.", write=_writing(records, state, newer),
                    warnings=_what_stays(records, newer, even_normal=True))


def command_of(signed: Signed, or_else: str = "") -> Command:
    """A person's wish; `or_else` stands for the reason while it is only looked at."""
    return Command(who=signed.who, why=signed.why.strip() or or_else, when=signed.at, is_person=True,
                   cause=Cause.OPERATOR)


def level_of(word: str, known: Mapping[str, KillLevel]) -> KillLevel:
    """Raises ConfigError for a word that is not in `known`."""
    if word not in known:
        raise ConfigError(f"There is no level {word} here (allowed: {', '.join(known)}). Nothing was changed.")
    return known[word]


def facts_of(state: KillState) -> Facts:
    """For people: the level and every pause."""
    pauses: dict[str, Any] = {f"pause of {each.scope}": f"{each.who}: {each.reason}" for each in state.pauses}
    return {"level": state.level.name, "since": state.when and state.when.isoformat(timespec="seconds"),
            "by": state.who or None, "reason": state.reason or None} | pauses


def _scope(records: Records, strategy: str | None, instrument: str | None) -> Scope | None:
    if strategy is None and instrument is None:
        return None
    if strategy is not None:
        records.check_strategy(strategy)
    if instrument is not None:
        records.check_instrument(instrument)
    return Scope(strategy=strategy, instrument=instrument)


def _writing(records: Records, state: KillState, newer: KillState) -> Any:
    return lambda session: records.kills.save(newer, session) if newer != state else None


def _raised_words(state: KillState, newer: KillState, level: KillLevel, scope: Scope | None) -> str:
    if newer == state and scope is not None:
        return f"{scope} is paused already; nothing was changed."
    if newer == state:
        than = "already" if level is state.level else f"already, which is stricter than {level.name}"
        return f"The system is at {state.level.name} {than} ({state.who}: {state.reason}); nothing was changed."
    if scope is not None:
        return f"{scope} is paused. End it: tradectl resume-trading {_options(scope)} --reason \"...\""
    return f"The system is at {newer.level.name}. Lower it: tradectl resume-trading --reason \"...\""


def _options(scope: Scope) -> str:
    named = (("--strategy", scope.strategy), ("--instrument", scope.instrument))
    return " ".join(f"{option} {name}" for option, name in named if name is not None)


def _lowered(state: KillState, level: KillLevel, signed: Signed) -> KillState:
    try:
        return lowered(state, level, command_of(signed, or_else="(reason follows)"))
    except NotLowered as error:
        raise DeedRefused(f"{error} Nothing was changed.") from error


def _lowered_words(state: KillState, newer: KillState) -> str:
    if newer == state:
        return f"The system is at {state.level.name} already; nothing was changed."
    return f"The system is at {newer.level.name}; it was at {state.level.name}."


def _what_stays(records: Records, state: KillState, *, even_normal: bool = False) -> tuple[str, ...]:
    """What still keeps something from being traded."""
    paused = [f"{each.scope} stays paused ({each.who}: {each.reason})." for each in state.pauses]
    locked = [f"{code} stays locked: {why}" for code, why in records.locks.reasons().items()]
    level = [f"The system stays at {state.level.name}."] if even_normal and state.level else []
    closing = [order.id for order in records.orders.open_instrument_orders() if order.kind is OrderKind.FLATTEN]
    goes_on = [f"{', '.join(closing)} still close positions. Keep these: tradectl trade cancel ORDER"] * bool(closing)
    return (*level, *paused, *locked, *goes_on)
