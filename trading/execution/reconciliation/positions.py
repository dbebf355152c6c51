"""Our books beside the broker's: where they differ, nothing is traded until a person knows why. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from trading.execution.fills import EXTERNAL
from trading.execution.locks import Lock, LockCause


@dataclass(frozen=True, kw_only=True)
class PositionBreak:
    """One contract in which the two sides disagree."""

    contract: str
    ours: int
    theirs: int

    @property
    def instrument(self) -> str:
        return self.contract.rpartition("/")[0]

    def __str__(self) -> str:
        return f"{self.contract}: our books hold {self.ours:+d}, the broker {self.theirs:+d}"


def position_breaks(ours: Mapping[str, int], theirs: Mapping[str, int]) -> list[PositionBreak]:
    """Every contract (our key, or the broker's number if we do not know it) whose lots differ."""
    return [PositionBreak(contract=key, ours=ours.get(key, 0), theirs=theirs.get(key, 0))
            for key in sorted({*ours, *theirs}) if ours.get(key, 0) != theirs.get(key, 0)]


def break_lock(found: PositionBreak, now: datetime) -> Lock:
    """The lock that `found` calls for, with the numbers of the moment."""
    return Lock(instrument=found.instrument, cause=LockCause.POSITION_BREAK, subject=found.contract, opened_at=now,
                reason=f"position break: {found}", facts={"ours": found.ours, "theirs": found.theirs})


@dataclass(frozen=True, kw_only=True)
class Explained:
    """A lock whose cause is known, and how."""

    lock: Lock
    how: str


def explained_locks(locks: Iterable[Lock], ours: Mapping[str, int], theirs: Mapping[str, int],
                    strategies: Mapping[tuple[str, str], int]) -> Iterator[Explained]:
    """Locks that open by themselves now.

    A position break, once both sides agree because executions came into our books: when it was the broker's number
    that moved, nobody knows why, and a person must look. What others traded, once nothing of it is left unassigned.
    """
    for lock in locks:
        if lock.cause is LockCause.POSITION_BREAK:
            held = ours.get(lock.subject, 0)
            if held == theirs.get(lock.subject, 0) and held != lock.facts["ours"]:
                yield Explained(lock=lock, how=f"executions explain it: our books hold {held:+d} now")
        elif lock.cause is LockCause.FOREIGN_FILL and not strategies.get((EXTERNAL, lock.instrument), 0):
            yield Explained(lock=lock, how="nothing of what others traded is left unassigned")
