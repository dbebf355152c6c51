"""One client's conversation: its messages in, the gateway's answers into an outbox. Knows no sockets.

A message that cannot be read or is not served gets an error; the conversation goes on.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from trading.broker.simulated import (
    answers_account,
    answers_elsewhere,
    answers_history,
    answers_market,
    answers_orders,
    answers_profit,
    answers_streams,
    answers_ticks,
    responses,
)
from trading.broker.simulated.faults.fault import Fault, FaultKind
from trading.broker.simulated.faults.message_names import name_of_request
from trading.broker.simulated.faults.outgoing import Outgoing
from trading.broker.simulated.gateway import Gateway
from trading.broker.simulated.lines import HistoryLine, Line, Streams
from trading.broker.simulated.permissions import DataKind
from trading.broker.simulated.quotes import update_ticks
from trading.broker.simulated.rate_limit import RateLimit
from trading.broker.simulated.read_only import check_read_only
from trading.broker.simulated.refusals import Refusal
from trading.broker.simulated.request_parser import parse, request_id_of
from trading.broker.simulated.requests import Request, StartApi
from trading.broker.simulated.responses import FARM_NOTICES, NO_REQUEST, Message
from trading.errors import BrokerError

log = logging.getLogger(__name__)

REQUEST_FAULTS: Final = {FaultKind.LOSE, FaultKind.BREAK_AFTER, FaultKind.IGNORE, FaultKind.REFUSE}
ACCOUNT_REFRESH_S: Final = 180.0  # ib_wire.md 3.5
Answer = Callable[[Gateway, "Session", Any], None]
ANSWERS: Final[Mapping[type[Request], Answer]] = {
    **answers_account.ANSWERS, **answers_market.ANSWERS, **answers_orders.ANSWERS, **answers_history.ANSWERS,
    **answers_ticks.ANSWERS, **answers_streams.ANSWERS, **answers_profit.ANSWERS, **answers_elsewhere.ANSWERS}
STREAMS: Final = (answers_market.stream, answers_history.stream, answers_ticks.stream, answers_streams.stream,
                  answers_profit.stream)


class Session:
    """What one connected client asked for, and what it has yet to be sent."""

    def __init__(self, gateway: Gateway, version: int) -> None:
        self.version: Final = version
        self.client_id: int | None = None
        self.outbox: list[Message] = []
        self.is_closing = False
        self.lines: Final[dict[int, Line]] = {}
        self.histories: Final[dict[int, HistoryLine]] = {}
        self.streams: Final = Streams()
        self.data_kind = DataKind.LIVE
        self.summaries: Final[dict[int, tuple[str, ...]]] = {}
        self.watches_positions = False
        self.watches_account = False
        self.wire_faults: Final[list[Fault]] = []
        self.is_broken = False  # its socket breaks, and what it was to hear is lost
        self._flooded = 0
        self.outgoing: Final = Outgoing(gateway.faults)
        self._gateway: Final = gateway
        self._rate: Final = RateLimit()
        self._refreshed_s = gateway.clock.monotonic_s()

    def send(self, *messages: Message) -> None:
        self.outbox.extend(messages)

    def refuse(self, request_id: int, problem: Refusal) -> None:
        self.send(responses.error(request_id, problem, self.version))

    def take_outbox(self) -> list[Message]:
        now = self._gateway.now()
        messages, self.outbox = responses.timed(self.outbox, now, self.version), []
        return self.outgoing.passed(messages, self.client_id, self._gateway.clock.monotonic_s())

    def receive(self, fields: Sequence[str]) -> None:
        """Answer one message; what it cannot answer is refused with the code that the real gateway uses."""
        most = self._gateway.settings.limits.messages_a_second
        if self._rate.counted(self._gateway.clock.monotonic_s()) > most:
            self._hang_up(Refusal(100, f"Max rate of messages per second has been exceeded:max={most}"))
            return
        try:
            request = parse(fields, self.version)
        except BrokerError as error:
            log.warning("client %s: %s", self.client_id, error)
            self.refuse(request_id_of(fields, self.version), Refusal(error.code or 320, str(error)))
            return
        number = answers_orders.number_of(request, fields[0])
        self._gateway.requests[name_of_request(number)] += 1
        if not self._is_struck(number, fields, request):
            self._answer(request)

    def poll(self) -> None:
        """New prints to the streams; the account again when it is due."""
        for stream in STREAMS:
            stream(self._gateway, self)
        now_s = self._gateway.clock.monotonic_s()
        if now_s - self._refreshed_s >= ACCOUNT_REFRESH_S:
            self._refreshed_s = now_s
            answers_account.refresh(self._gateway, self)

    def quote_again(self) -> None:
        for line in self.lines.values():
            self.send(*update_ticks(line.watch, self._gateway.now(), self._gateway.zone, line.beside))

    def flood(self, count: int) -> None:
        """`count` sizes to each stream, which nobody needs; each another than the last."""
        sizes = [str(1 + (self._flooded + number) % 9) for number in range(count)]
        self._flooded += count
        for req_id in self.lines:
            self.send(*(("2", "6", str(req_id), "0", size) for size in sizes))

    def position_changed(self, con_id: int) -> None:
        answers_account.position_changed(self._gateway, self, con_id)

    def _is_struck(self, number: str, fields: Sequence[str], request: Request) -> bool:
        """Does a fault keep this request from being answered? One that only breaks the connection lets it through."""
        reference = answers_orders.reference_of(self._gateway, self, request)
        fault = self._gateway.faults.take(REQUEST_FAULTS, lambda each: each.strikes_request(
            number, reference, self.client_id))
        if fault is None:
            return False
        if fault.kind is FaultKind.REFUSE:
            self.refuse(request_id_of(fields, self.version), Refusal(fault.code, fault.text or f"Fault {fault.code}"))
        self.is_broken = fault.kind in (FaultKind.LOSE, FaultKind.BREAK_AFTER)
        return fault.kind is not FaultKind.BREAK_AFTER

    def _answer(self, request: Request) -> None:
        if isinstance(request, StartApi):
            self._start(request.client_id)
        elif self.client_id is not None:  # the real gateway ignores what comes before startApi
            refusal = check_read_only(request, self._gateway.settings.read_only)
            if refusal is None:
                ANSWERS[type(request)](self._gateway, self, request)
            else:
                self.refuse(answers_orders.order_id_of(request), refusal)

    def _start(self, client_id: int) -> None:
        if self.client_id is not None:
            return
        if not self._gateway.admit(self, client_id):
            self._hang_up(Refusal(326, "Unable to connect as the client id is already in use. "
                                       "Retry with a unique client id."))
            return
        self.client_id = client_id
        self.send(responses.managed_accounts(",".join(self._gateway.settings.accounts)),
                  responses.next_valid_id(self._gateway.book.next_order_id(client_id)))
        for notice in FARM_NOTICES:
            self.refuse(NO_REQUEST, notice)

    def _hang_up(self, problem: Refusal) -> None:
        self.refuse(NO_REQUEST, problem)
        self.is_closing = True
