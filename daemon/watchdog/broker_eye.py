"""BrokerEye: the watchdog's own connection to the gateway. Reads orders and positions, and can cancel all orders.

It connects when it is to look and is not connected, with a growing pause between attempts that fail.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from trading.broker.account_check import account_problem
from trading.broker.error_codes import shipped_error_policy
from trading.broker.facts import BrokerPosition, OpenOrder
from trading.broker.ib.library import IbLibrary
from trading.broker_config import BrokerConfig
from trading.clock import Clock
from trading.config import Mode
from trading.errors import BrokerError, BrokerUnavailable
from trading.execution.broker_messages import MessageKind
from trading.execution.error_policy import CodeMeaning

PAUSES_S: Final = (0.0, 1.0, 2.0, 5.0, 10.0, 30.0)


@dataclass(frozen=True, kw_only=True)
class EyeParts:
    """What it works with. `address` None: nobody has said yet where the gateway is."""

    settings: BrokerConfig
    mode: Mode
    client_id: int
    clock: Clock
    address: Callable[[], tuple[str, int] | None]


@dataclass(frozen=True, kw_only=True)
class BrokerView:
    """What rests and what is held, at one moment, in our account."""

    orders: tuple[OpenOrder, ...]
    positions: tuple[BrokerPosition, ...]


class BrokerEye:
    """One connection at a time; whatever goes wrong, the next look begins with a new one."""

    def __init__(self, parts: EyeParts) -> None:
        self._parts = parts
        self._library: IbLibrary | None = None
        self._failures = 0
        self._not_before_s = float("-inf")
        self._reason = ""
        self._is_cut_off = False
        self._policy = shipped_error_policy()

    async def look(self) -> BrokerView:
        """
        Raises:
            BrokerError: nothing may be concluded; the message says why.
        """
        try:
            library = await self._connected()
            orders, positions = await library.open_orders(), await library.positions()
            if self._is_cut_off:  # what is answered then is what was known before
                raise BrokerUnavailable("The gateway has lost its connection to the broker.")
        except BrokerError as error:
            self._give_up(error)
            raise
        self._failures = 0
        account = self._parts.settings.account
        return BrokerView(orders=tuple(orders), positions=tuple(each for each in positions if each.account == account))

    async def cancel_everything(self) -> None:
        """Ask for a cancel of every order of the account, whoever sent it.

        Raises:
            BrokerError: there is no connection.
        """
        (await self._connected()).cancel_everything()

    def close(self) -> None:
        if self._library is not None:
            self._library.disconnect()
        self._library = None

    async def _connected(self) -> IbLibrary:
        if self._library is not None and self._library.is_connected:
            return self._library
        self.close()
        if self._parts.clock.monotonic_s() < self._not_before_s:
            raise BrokerUnavailable(self._reason)
        address, settings = self._parts.address(), self._parts.settings
        if address is None:
            raise BrokerUnavailable("No tradingd has run here yet, so its simulated gateway is not known.")
        self._is_cut_off = False
        self._library = library = IbLibrary(self._note, settings.request_timeout_s)
        await library.connect(*address, self._parts.client_id, settings.connect_timeout_s)
        problem = account_problem(self._parts.mode, settings.account, library.accounts)
        if problem is not None:
            raise BrokerError(problem)
        return library

    def _give_up(self, error: BrokerError) -> None:
        if str(error) == self._reason and self._library is None:
            return  # it was not tried: the pause goes on
        self.close()
        self._reason = str(error)
        self._not_before_s = self._parts.clock.monotonic_s() + PAUSES_S[min(self._failures, len(PAUSES_S) - 1)]
        self._failures += 1

    def _note(self, kind: MessageKind, facts: dict[str, Any]) -> None:
        if kind is not MessageKind.ERROR:
            return
        meaning = self._policy.of(int(facts["code"]))
        if meaning is CodeMeaning.LINK_LOST:
            self._is_cut_off = True
