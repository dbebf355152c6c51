"""How often historical data may be asked for (ib_wire.md 3.5). Pure but for its memory."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

SAME_REQUEST_S: Final = 15.0
CONTRACT_S: Final = 2.0
CONTRACT_REQUESTS: Final = 6
WINDOW_S: Final = 600.0
WINDOW_REQUESTS: Final = 60


@dataclass(frozen=True, kw_only=True)
class PacedRequest:
    """What the rules look at; `weight` is 2 for bid and ask together."""

    whole: tuple[str, ...]  # everything but the request id
    contract: tuple[str, ...]  # contract, exchange and kind of price
    at_s: float
    weight: int = 1


@dataclass
class HistoryPacing:
    """The requests of the last ten minutes. Refused ones do not count."""

    _past: deque[PacedRequest] = field(default_factory=deque)

    def takes(self, request: PacedRequest) -> bool:
        """May this be asked now? If so it is remembered."""
        while self._past and self._past[0].at_s <= request.at_s - WINDOW_S:
            self._past.popleft()
        if self._is_violation(request):
            return False
        self._past.append(request)
        return True

    def _is_violation(self, request: PacedRequest) -> bool:
        """Identical within 15 s, the sixth for a contract within 2 s, or more than 60 in ten minutes."""
        same = any(past.whole == request.whole and past.at_s > request.at_s - SAME_REQUEST_S for past in self._past)
        recent = sum(past.weight for past in self._past
                     if past.contract == request.contract and past.at_s > request.at_s - CONTRACT_S)
        return (same or recent + request.weight > CONTRACT_REQUESTS - 1
                or sum(past.weight for past in self._past) + request.weight > WINDOW_REQUESTS)
