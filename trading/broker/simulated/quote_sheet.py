"""The news of each market, worked out once for all who watch it. Pure but for its memory of the newest news."""

from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from trading.broker.simulated import hours
from trading.broker.simulated.quotes import REQ_ID_AT, Watch, update_ticks
from trading.broker.simulated.responses import Message

Line = tuple[int, int, tuple[str, ...]]  # contract, kind of data and generic ticks
Known = tuple[int, date, int]  # how many prints, the day that they are of, and the lots beside them


@dataclass
class QuoteSheet:
    """What a line hears depends on its contract, its kind, and the prints that it may know; its id is put in."""

    zone: ZoneInfo
    _newest: dict[Line, tuple[Known, list[Message]]] = field(default_factory=dict)

    def news(self, watch: Watch, seen: int, now: datetime, beside: int = 0) -> list[Message]:
        """What a line is told after a new print, the last of `seen`."""
        line = (watch.contract.facts.con_id, watch.kind, watch.generic_ticks)
        known = (seen, hours.local_date(now - watch.kind.age, self.zone), beside)
        found = self._newest.get(line)
        if found is None or found[0] != known:
            found = self._newest[line] = (known, update_ticks(watch, now, self.zone, beside))
        req_id = str(watch.req_id)
        return [(*each[:REQ_ID_AT], req_id, *each[REQ_ID_AT + 1:]) for each in found[1]]
