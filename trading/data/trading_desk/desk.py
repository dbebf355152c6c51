"""TradingDesk: shows a deed, or does it once, in one transaction with the event that tells of it."""

from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from typing import Any, Final, TypeVar

from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError

from trading.data.mongo.connection import Document, MongoStore
from trading.data.trading_desk.asked import LONGEST_TEXT, checked
from trading.data.trading_desk.deed import Deed, Outcome, Preview, Signed
from trading.data.trading_desk.deed_log import DeedLog
from trading.data.trading_desk.records import House, Records
from trading.errors import ConcurrentUpdate, ConfigError

ATTEMPTS: Final = 5  # when jobs write the same orders meanwhile
LONGEST_ID: Final = 100
AnyDeed = TypeVar("AnyDeed", bound=Deed)


class TradingDesk:
    """One store, one house. Usable without a daemon."""

    def __init__(self, store: MongoStore, house: House) -> None:
        self._store, self._house = store, house

    def preview(self, deed: Deed, signed: Signed) -> Preview:
        """What `deed` would do now; nothing is changed."""
        _check(signed, needs_reason=False)
        plan = checked(deed).plan(Records(self._store, self._house, signed.who, None), signed)
        return Preview(deed=deed.verb, before=plan.before, after=plan.after, meaning=plan.meaning,
                       warnings=plan.warnings, code=plan.code)

    def do(self, deed: Deed, signed: Signed) -> Outcome:
        """Do `deed`, unless its id was done before; then what it did.

        Raises:
            ConfigError: something in it is wrong, the reason is missing, or the id was used for another deed.
            NotFound, DeedRefused: see the deed.
            ConcurrentUpdate: others kept writing what it changes; nothing was changed.
        """
        _check(signed, needs_reason=True)
        deed = checked(deed)
        first = deed.first()
        if first is not None:
            self.do(first, replace(signed, id=f"{signed.id}/first"))
        for _ in range(ATTEMPTS - 1):
            try:
                return self._once(deed, signed)
            except (ConcurrentUpdate, DuplicateKeyError):
                continue  # decided anew, on what is there now
        return self._once(deed, signed)

    def _once(self, deed: Deed, signed: Signed) -> Outcome:
        log = DeedLog(replace(self._store, author=signed.who))

        def steps(session: ClientSession) -> Outcome:
            known = log.find(signed.id, session)
            if known is not None:
                return _repeated(known, deed, signed)
            plan = deed.plan(Records(self._store, self._house, signed.who, session), signed)
            plan.write(session)
            outcome = Outcome(deed=deed.verb, id=signed.id, who=signed.who, why=signed.why, at=signed.at,
                              before=plan.before, after=plan.after, done=plan.done, warnings=plan.warnings)
            log.append(outcome, asked_of(deed), session, plan.story)
            return outcome

        return self._store.transact(steps)


def asked_of(deed: Deed) -> Document:
    """The fields of `deed` as plain values."""
    return {name: _plain(value) for name, value in vars(deed).items()}


def _plain(value: Any) -> Any:
    """A whole file is told by its digest: the event stays small, and the same file is known again."""
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        return f"sha256 {sha256(value.encode()).hexdigest()}"
    return value if isinstance(value, str | int | dict | None) else str(value)


def _repeated(known: tuple[Outcome, Document], deed: Deed, signed: Signed) -> Outcome:
    outcome, asked = known
    if (outcome.deed, asked) != (deed.verb, asked_of(deed)):
        raise ConfigError(f"The id {signed.id} was used for {outcome.deed} by {outcome.who}; a deed needs an id of its "
                          f"own. Nothing was changed.")
    return replace(outcome, is_repeated=True)


def _check(signed: Signed, *, needs_reason: bool) -> None:
    if not signed.id.strip() or len(signed.id) > LONGEST_ID:
        raise ConfigError(f"A deed needs an id of at most {LONGEST_ID} characters, by which it is done once; got "
                          f"{signed.id[:80]!r}. Nothing was changed.")
    if needs_reason and not signed.why.strip():
        raise ConfigError("A reason is missing: add --reason \"why\". Nothing was changed.")
    if not signed.who.strip() or not _is_aware(signed.at):
        raise ConfigError("A deed needs a person's name and a time with its offset. Nothing was changed.")


def _is_aware(at: datetime) -> bool:
    return at.tzinfo is not None
