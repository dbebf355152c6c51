"""The faults that wait for their moment: each strikes as often as it was asked to, then it is gone."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final

from trading.broker.simulated.faults.fault import Fault, FaultKind
from trading.broker.simulated.faults.message_names import MESSAGES, REQUESTS


@dataclass
class ArmedFaults:
    """Mutable; one gateway's. Times are monotonic seconds."""

    waiting: list[Fault] = field(default_factory=list)
    lasting: list[tuple[Fault, float]] = field(default_factory=list)  # until when

    def arm(self, fault: Fault) -> None:
        self.waiting.append(fault)

    def last(self, fault: Fault, until_s: float) -> None:
        """`fault` holds until then, in the place of an earlier one of its kind."""
        self.lasting = [(each, end_s) for each, end_s in self.lasting if each.kind is not fault.kind]
        self.lasting.append((fault, until_s))

    def clear(self) -> int:
        """Disarm all; how many there were."""
        count = len(self.waiting) + len(self.lasting)
        self.waiting.clear()
        self.lasting.clear()
        return count

    def take(self, kinds: set[FaultKind], strikes: Callable[[Fault], bool]) -> Fault | None:
        """The first waiting fault of `kinds` that strikes; it is used up by one."""
        for place, fault in enumerate(self.waiting):
            if fault.kind in kinds and strikes(fault):
                self._use(place, fault)
                return fault
        return None

    def holds(self, kind: FaultKind, now_s: float) -> Fault | None:
        """The fault of `kind` that lasts at `now_s`."""
        self.lasting = [(fault, until_s) for fault, until_s in self.lasting if until_s > now_s]
        return next((fault for fault, _ in self.lasting if fault.kind is kind), None)

    def is_any(self, waiting: Collection[FaultKind], lasting: Collection[FaultKind]) -> bool:
        """Is there a fault of one of the kinds `waiting` that waits, or of `lasting` that lasts or did a moment ago?"""
        return (any(fault.kind in waiting for fault in self.waiting)
                or any(fault.kind in lasting for fault, _ in self.lasting))

    def rows(self, now_s: float) -> list[dict[str, Any]]:
        """For people: what waits, and what lasts for how long."""
        return [_row(fault) for fault in self.waiting] + [
            _row(fault) | {"lasts_s": round(until_s - now_s, 1)} for fault, until_s in self.lasting if until_s > now_s]

    def _use(self, place: int, fault: Fault) -> None:
        if fault.times == 1:
            del self.waiting[place]
        elif fault.times > 1:
            self.waiting[place] = replace(fault, times=fault.times - 1)


_NAMES: Final = {"message": {number: name for name, number in MESSAGES.items()},
                 "request": {number: name for name, number in REQUESTS.items()}}


def _row(fault: Fault) -> dict[str, Any]:
    return dict(_told(fault))


def _told(fault: Fault) -> Iterator[tuple[str, Any]]:
    default = Fault(kind=fault.kind)
    yield "kind", fault.kind.value
    for name, value in fault.__dict__.items():
        if name != "kind" and value != getattr(default, name):
            yield name, _NAMES.get(name, {}).get(value, value)
