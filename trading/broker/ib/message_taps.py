"""Every message about orders as it came over the wire, handed on before the library looks at it.

What answers our own what-if questions is the library's alone: it is about no order.
"""

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from trading.broker.ib.execution_words import ExecutionWords
from trading.broker.ib.message_facts import (
    commission_facts,
    completed_facts,
    error_facts,
    execution_facts,
    open_order_facts,
    status_facts,
    without_foreign_handle,
)
from trading.execution.broker_messages import MessageKind

Told = tuple[MessageKind, dict[str, Any]]
Sink = Callable[[MessageKind, dict[str, Any]], None]


class MessageTaps:
    """The taps of one connection. `ib` is the library's connection, `heed` is told the code of each error."""

    def __init__(self, ib: Any, sink: Sink, heed: Callable[[int], None]) -> None:
        self._ib, self._sink, self._heed = ib, sink, heed
        self._words = ExecutionWords(ib.client.decoder)
        self._listeners: list[list[Told]] = []
        self._left_out: set[int] = set()
        for name, kind, facts in (
                ("orderStatus", MessageKind.ORDER_STATUS, status_facts),
                ("openOrder", MessageKind.OPEN_ORDER, open_order_facts),
                ("completedOrder", MessageKind.COMPLETED_ORDER, completed_facts),
                ("execDetails", MessageKind.EXECUTION, self._execution_facts),
                ("commissionReport", MessageKind.COMMISSION, commission_facts),
                ("error", MessageKind.ERROR, error_facts)):
            self._tap(name, kind, facts)

    def leave_out(self, request_id: int) -> None:
        """Hand no error about `request_id` on: it is a question, not an order."""
        self._left_out.add(request_id)

    @contextmanager
    def listening(self) -> Iterator[list[Told]]:
        """What comes while the block runs, beside what the sink gets."""
        heard: list[Told] = []
        self._listeners.append(heard)
        try:
            yield heard
        finally:
            self._listeners.remove(heard)

    def _execution_facts(self, _request: int, contract: Any, execution: Any) -> dict[str, Any]:
        return execution_facts(self._words.newest, contract, execution)

    def _tap(self, name: str, kind: MessageKind, facts: Callable[..., dict[str, Any]]) -> None:
        original = getattr(self._ib.wrapper, name)  # the library's own names, from the table above

        def tapped(*values: Any) -> None:
            if kind is MessageKind.OPEN_ORDER and values[2].whatIf:
                original(*values[:3], _with_a_number(values[3]))
                return
            if kind is MessageKind.ERROR and values[0] in self._left_out:
                original(*values)
                return
            told = without_foreign_handle(facts(*values), self._ib.client.clientId)
            self._sink(kind, told)
            for listener in self._listeners:
                listener.append((kind, told))
            if kind is MessageKind.ERROR:
                self._heed(told["code"])
            original(*values)

        setattr(self._ib.wrapper, name, tapped)


def _with_a_number(state: Any) -> Any:
    """An empty margin would raise in the middle of the library (ib_wire.md 2.8); we read the other fields."""
    return state if state.initMarginChange else dataclasses.replace(state, initMarginChange="0")
