"""A slot: one reason for one run. And what became of those that never ran. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from trading.control.process_run import Kind

SLOT_KEY: Final = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, kw_only=True)
class DueSlot:
    """A slot that has come and is not yet a run; kept with its process, so that no restart forgets it."""

    key: str  # the UTC instant for a scheduled slot; unique for its process
    kind: Kind
    due: datetime  # aware, UTC
    trading_day: str  # YYYY-MM-DD
    not_before: datetime  # later than `due` by jitter, or by the pause before a retry
    attempt: int = 1
    nominals: tuple[str, ...] = ()  # the local times that it stands for


class SlotOutcome(StrEnum):
    """Why a slot has no run."""

    SKIPPED = "SKIPPED"  # a rule left it out: pause, window, holiday, overlap, dependency, deadline
    MISSED = "MISSED"  # noticed too late, and the catch-up rule does not make up for it
    COALESCED = "COALESCED"  # another slot runs in its place


@dataclass(frozen=True, kw_only=True)
class Tick:
    """The record of a slot that never ran; its key is unique, so each slot has one outcome.

    After a very long absence one record stands for all slots from `slot` to `until`.
    """

    process: str
    slot: str
    outcome: SlotOutcome
    reason: str
    decided_at: datetime
    nominals: tuple[str, ...] = ()
    until: str = ""
    count: int = 1

    @property
    def id(self) -> str:
        return f"{self.process}@{self.slot}"


def slot_key(instant: datetime) -> str:
    """The key of a scheduled slot: its instant (aware, UTC), to the second."""
    return instant.strftime(SLOT_KEY)
