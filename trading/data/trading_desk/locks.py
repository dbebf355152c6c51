"""Locking an instrument, and opening locks, whatever they were for."""

from dataclasses import dataclass
from typing import ClassVar, Final

from pymongo.client_session import ClientSession

from trading.data.trading_desk.deed import Deed, Plan, Signed
from trading.data.trading_desk.records import Records
from trading.errors import ConfigError, NotFound
from trading.execution.locks import Lock, LockCause

NEEDS_EVIDENCE: Final = frozenset({LockCause.POSITION_BREAK, LockCause.CONFLICT})


@dataclass(frozen=True, kw_only=True)
class LockInstrument(Deed):
    """Trade nothing in an instrument; what is at the broker already goes on."""

    verb: ClassVar[str] = "lock"
    instrument: str

    def plan(self, records: Records, signed: Signed) -> Plan:
        records.check_instrument(self.instrument)
        lock = Lock(instrument=self.instrument, cause=LockCause.OPERATOR, subject=self.instrument, reason=signed.why,
                    opened_at=signed.at, opened_by=signed.who)
        before = records.locks.reasons().get(self.instrument)
        is_new = all(each.id != lock.id for each in records.locks.all())
        done = f"{self.instrument} is locked. Open it: tradectl locks open {self.instrument} --reason \"...\""
        return Plan(before={self.instrument: before or "not locked"}, after={self.instrument: "locked"},
                    done=done if is_new else f"{self.instrument} was locked by a person already; nothing was changed.",
                    meaning=f"No new order of {self.instrument} is made or sent, not even one that reduces. Orders at "
                            f"the broker live on, and fills are booked.",
                    write=lambda session: records.locks.lock_within(lock, session))


@dataclass(frozen=True, kw_only=True)
class OpenLocks(Deed):
    """Open the locks of an instrument, or those of one cause and subject; with `everything` those of all."""

    verb: ClassVar[str] = "open-locks"
    instrument: str | None = None
    cause: str | None = None
    subject: str | None = None
    evidence: str = ""  # what shows it, for causes that nobody may merely wave away
    everything: bool = False

    def plan(self, records: Records, signed: Signed) -> Plan:
        locks = self._found(records)
        self._demand_evidence(locks)
        names = {_name(lock): lock.reason for lock in locks}
        why = f"{signed.who}: {signed.why}{f' (evidence: {self.evidence})' if self.evidence else ''}"

        def write(session: ClientSession) -> None:
            for lock in locks:
                records.locks.unlock_within(lock.id, why, signed.at, session)

        return Plan(before=names, after=dict.fromkeys(names, "open"), write=write,
                    meaning="Orders are made and sent again, as far as nothing else forbids it.",
                    done=f"Opened: {', '.join(names)}.", warnings=_still_locked(records, locks))

    def _found(self, records: Records) -> list[Lock]:
        if self.everything is (self.instrument is not None):
            raise ConfigError("Name an instrument, or say that all locks are meant; not both. Nothing was changed.")
        cause = None if self.cause is None else cause_of(self.cause)
        found = [lock for lock in records.locks.all() if self.instrument in (None, lock.instrument)
                 and cause in (None, lock.cause) and self.subject in (None, lock.subject)]
        if not found:
            of_what = f" of cause {cause}" if cause else ""
            raise NotFound(f"{self.instrument or 'Nothing'} has no lock{of_what}. See what is locked: tradectl locks")
        return found

    def _demand_evidence(self, locks: list[Lock]) -> None:
        wanting = sorted({str(lock.cause) for lock in locks if lock.cause in NEEDS_EVIDENCE})
        if wanting and not self.evidence:
            raise ConfigError(f"{' and '.join(wanting)}: that the numbers agree again proves nothing. Say what shows "
                              f"that our books are right: --evidence \"statement of the broker, 3 March\". Nothing was "
                              f"changed.")


def _name(lock: Lock) -> str:
    about = "" if lock.subject == lock.instrument else f" ({lock.subject})"
    return f"{lock.instrument} {lock.cause}{about}"


def cause_of(word: str) -> LockCause:
    """Raises ConfigError for an unknown word."""
    try:
        return LockCause(word.upper().replace("-", "_"))
    except ValueError as error:
        raise ConfigError(f"{word!r} is no cause of a lock (allowed: {', '.join(LockCause)}). "
                          f"Nothing was changed.") from error


def _still_locked(records: Records, opened: list[Lock]) -> tuple[str, ...]:
    ids, codes = {lock.id for lock in opened}, {lock.instrument for lock in opened}
    return tuple(f"{lock.instrument} stays locked by {lock.cause}: {lock.reason}" for lock in records.locks.all()
                 if lock.id not in ids and lock.instrument in codes)
