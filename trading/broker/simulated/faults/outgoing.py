"""What faults do to the messages on their way to one client: dropped, twice, late, damaged. Pure but for its queue."""

from dataclasses import dataclass, field
from typing import Final

from trading.broker.simulated.faults.armed import ArmedFaults
from trading.broker.simulated.faults.fault import Fault, FaultKind
from trading.broker.simulated.faults.message_names import ORDER_REFERENCE_AT, WHAT_IF_ANSWER
from trading.broker.simulated.faults.quote_faults import quoted

Message = tuple[str, ...]
KINDS: Final = {FaultKind.DROP, FaultKind.DELAY, FaultKind.DUPLICATE, FaultKind.LATE, FaultKind.CORRUPT,
                FaultKind.REWORD}
ORDER_STATUS: Final = "3"
OPEN_ORDER: Final = "5"

LASTING: Final = (FaultKind.SLOW, FaultKind.QUOTES)


@dataclass
class Outgoing:
    """The messages of one session between the gateway and its socket."""

    faults: ArmedFaults
    _what_ifs: set[str] = field(default_factory=set)  # order ids under which a client has only asked
    _delayed: list[tuple[float, Message]] = field(default_factory=list)
    _behind: list[tuple[int, Message]] = field(default_factory=list)
    _references: dict[str, str] = field(default_factory=dict)  # of orders by order id, and of fills by execution id

    def asks(self, order_id: int) -> None:
        """The answer under this id is no order's: faults that wait for orders leave it alone."""
        self._what_ifs.add(str(order_id))

    @property
    def next_s(self) -> float | None:
        """When the next delayed message is due."""
        return min((due_s for due_s, _ in self._delayed), default=None)

    def passed(self, messages: list[Message], client: int | None, now_s: float) -> list[Message]:
        """What is sent now of `messages` and of what was kept back."""
        if not (self._delayed or self._behind or self.faults.is_any(KINDS, LASTING)):
            self._remember(messages)
            return messages
        sent: list[Message] = []
        slow = self.faults.holds(FaultKind.SLOW, now_s)
        quotes = self.faults.holds(FaultKind.QUOTES, now_s)
        shown = messages if quotes is None else [each for message in messages
                                                 if (each := quoted(message, quotes.style)) is not None]
        for message in shown:
            for each in self._struck(message, client, now_s):
                if slow is not None and slow.client in (None, client):
                    self._delayed.append((now_s + slow.by, each))
                else:
                    sent += [each, *self._overtaken()]
        due = [message for due_s, message in self._delayed if due_s <= now_s]
        self._delayed = [(due_s, message) for due_s, message in self._delayed if due_s > now_s]
        return sent + due

    def _remember(self, messages: list[Message]) -> None:
        """The references of orders and fills, for faults that are yet to come."""
        for message in messages:
            if message[0] in ORDER_REFERENCE_AT:
                self._reference(message)

    def _struck(self, message: Message, client: int | None, now_s: float) -> list[Message]:
        reference = self._reference(message)
        fault = self.faults.take(KINDS, lambda each: each.strikes_message(self._name(message), reference, client)
                                 and (each.kind is not FaultKind.REWORD or message[0] == ORDER_STATUS))
        if fault is None:
            return [message]
        return self._by_kind(fault, message, now_s)

    def _name(self, message: Message) -> str:
        return WHAT_IF_ANSWER if message[0] == OPEN_ORDER and message[1] in self._what_ifs else message[0]

    def _by_kind(self, fault: Fault, message: Message, now_s: float) -> list[Message]:
        match fault.kind:
            case FaultKind.DUPLICATE:
                return [message, message]
            case FaultKind.CORRUPT:
                return [message[:-1]]
            case FaultKind.REWORD:
                return [(*message[:2], fault.text, *message[3:])]
            case FaultKind.DELAY:
                self._delayed.append((now_s + fault.seconds, message))
            case FaultKind.LATE:
                self._behind.append((fault.after, message))
        return []

    def _overtaken(self) -> list[Message]:
        """A message was sent: those that wait for one more to pass follow now."""
        self._behind = [(count - 1, message) for count, message in self._behind]
        due = [message for count, message in self._behind if count <= 0]
        self._behind = [(count, message) for count, message in self._behind if count > 0]
        return due

    def _reference(self, message: Message) -> str:
        """The order reference that `message` is about, as far as this connection has heard of it."""
        kind = message[0]
        at = ORDER_REFERENCE_AT.get(kind)
        if at is not None and len(message) > at:
            keys = (f"order {message[1]}",) if kind == "5" else (f"order {message[2]}", f"fill {message[14]}")
            self._references.update(dict.fromkeys(keys, message[at]))
            return message[at]
        if kind in ("3", "4"):
            return self._references.get(f"order {message[1 if kind == '3' else 2]}", "")
        return self._references.get(f"fill {message[2]}", "") if kind == "59" else ""
