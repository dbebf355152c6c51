"""One fault as it is asked for: its kind, whom it strikes, how often. Pure; wrong words are answered in a sentence."""

from dataclasses import MISSING, dataclass, fields
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any, Final

from trading.broker.simulated.faults.message_names import MESSAGES, REQUESTS
from trading.errors import ConfigError


class FaultKind(StrEnum):
    """What can go wrong; the first word of `tradectl sim fault`."""

    # messages to clients that match `message`, `order`, `client`
    DROP = "drop"  # never sent
    DELAY = "delay"  # sent `seconds` later; what follows overtakes it
    DUPLICATE = "duplicate"  # sent twice
    LATE = "late"  # sent behind the next `after` messages
    CORRUPT = "corrupt"  # its last field is missing
    REWORD = "reword"  # an orderStatus says `text` for its status
    # requests of clients that match `request`, `order`, `client`
    LOSE = "lose"  # never read, and the connection breaks
    BREAK_AFTER = "break_after"  # carried out, but the connection breaks before a word is said
    IGNORE = "ignore"  # never answered
    REJECT = "reject"  # an order is rejected in `style`, with `code` and `text`
    REFUSE = "refuse"  # answered with error `code` and `text`, nothing else
    MARGIN = "margin"  # a what-if question is answered in `style`: sentinel, no_currency, empty, large
    # orders
    ERROR = "error"  # an open order gets `code` and `text`, and nothing happens to it
    HOLD = "hold"  # orders do not fill for `seconds`
    FILL_ON_CANCEL = "fill_on_cancel"  # a cancel is refused with 10148, and the order fills; with `size`: only so far
    INACTIVE_FIRST = "inactive_first"  # an order is Inactive before it works
    TWIN = "twin"  # a modification makes a second live order
    LIVES_TWICE = "lives_twice"  # an open order lives a second time, under ids of its own
    LEG_ALONE = "leg_alone"  # of a combination only the first leg fills; the others `seconds` later, 0: never
    CORRECT = "correct"  # the last fill of an order is corrected to `price` and `size`
    BUST = "bust"  # the last fill of an order never was
    OVERFILL = "overfill"  # the order that filled last fills again, by `size` lots that it never had
    MANUAL_TRADE = "manual_trade"  # somebody trades `size` of contract `contract` by hand
    LIQUIDATE = "liquidate"  # the broker closes the position in `contract`
    MANUAL_CANCEL = "manual_cancel"  # somebody cancels an order by hand
    MANUAL_EDIT = "manual_edit"  # somebody changes an open order to `price` and `size` by hand
    # connections
    CLOSE = "close"  # the socket is closed
    RESET = "reset"  # the socket is reset
    HALF_OPEN = "half_open"  # nothing is read or written any more
    GARBAGE = "garbage"  # bytes that are no frame
    HUGE = "huge"  # a frame whose length is absurd
    TRUNCATE = "truncate"  # half a frame, then the end
    BAD_TEXT = "bad_text"  # a frame that is no text
    UNKNOWN_MESSAGE = "unknown_message"  # a frame with an id that nobody knows
    SLOW = "slow"  # every answer `by` seconds late, for `seconds`
    UNREACHABLE = "unreachable"  # new connections are closed at once
    MUTE = "mute"  # new connections get no answer
    ID_IN_USE = "id_in_use"  # error 326 for whoever comes
    FLOOD = "flood"  # `size` quotes a second to each stream
    RESTART = "restart"  # the gateway restarts: all sockets close; the next order id moves by `size`
    # the broker behind the gateway
    LINK_LOST = "link_lost"  # 1100, after `seconds` 1102
    DATA_LOST = "data_lost"  # 1100, after `seconds` 1101
    FARM_LOST = "farm_lost"  # 2103, after `seconds` 2104
    EMPTY = "empty"  # orders, executions and positions are answered as if there were none, for `seconds`
    QUOTES = "quotes"  # quotes in `style`: frozen, crossed, none, zero, spike


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A fault; fields that its kind does not use stay at their defaults.

    `message` and `request` are names or numbers of the protocol, `order` a pattern for the order reference (`*` and
    `?`), `client` a client id. `times` 0 means for ever. Seconds are real ones.
    """

    kind: FaultKind
    message: str = ""
    request: str = ""
    order: str = "*"
    client: int | None = None
    times: int = 1
    seconds: float = 0.0
    by: float = 0.0
    after: int = 1
    code: int = 0
    text: str = ""
    style: str = ""
    contract: int = 0
    size: int = 0
    price: float = 0.0

    def strikes_message(self, message_id: str, reference: str, client: int | None) -> bool:
        return (self.message in ("", message_id) and self._strikes(reference, client)
                and (bool(reference) or self.order == "*"))

    def strikes_request(self, message_id: str, reference: str, client: int | None) -> bool:
        return self.request in ("", message_id) and self._strikes(reference, client)

    def strikes_order(self, reference: str) -> bool:
        return fnmatchcase(reference, self.order)

    def _strikes(self, reference: str, client: int | None) -> bool:
        return self.client in (None, client) and fnmatchcase(reference, self.order)


STYLES: Final = {
    FaultKind.REJECT: ("error_first", "status_first", "inactive_only", "cancelled_only"),
    FaultKind.MARGIN: ("sentinel", "no_currency", "empty", "large"),
    FaultKind.QUOTES: ("frozen", "crossed", "none", "zero", "spike"),
}


def fault_of(values: dict[str, Any]) -> Fault:
    """The fault that `values` (as in a scenario or a request) describe.

    Raises:
        ConfigError: an unknown kind, field, name or style, or a value of the wrong type.
    """
    kind = values.get("kind", "")
    if kind not in set(FaultKind):
        raise ConfigError(f"There is no fault {kind!r}. Allowed: {', '.join(FaultKind)}.")
    known = {each.name: each for each in fields(Fault)}
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise ConfigError(f"The fault {kind} has no {unknown[0]!r}. Allowed: {', '.join(known)}.")
    clean = {name: _value(kind, name, value) for name, value in values.items() if name != "kind"}
    _check_style(FaultKind(kind), str(clean.get("style", "")))
    return Fault(kind=FaultKind(kind), **clean)


def _value(kind: str, name: str, value: Any) -> Any:
    if name in ("message", "request"):
        return _number_of(kind, name, str(value), MESSAGES if name == "message" else REQUESTS)
    if name == "client":
        wanted: type = int
    else:
        default = next(each.default for each in fields(Fault) if each.name == name)
        wanted = str if default is MISSING else type(default)
    try:
        return wanted(value)
    except (TypeError, ValueError):
        raise ConfigError(f"The fault {kind} has {name} {value!r}; it must be a number.") from None


def _number_of(kind: str, name: str, text: str, names: dict[str, str]) -> str:
    if text in names.values() or text == "":
        return text
    if text not in names:
        raise ConfigError(f"The fault {kind} names the {name} {text!r}. Allowed: {', '.join(sorted(names))}.")
    return names[text]


def _check_style(kind: FaultKind, style: str) -> None:
    allowed = STYLES.get(kind, ())
    if (style and style not in allowed) or (allowed and not style):
        raise ConfigError(f"The fault {kind} has style {style!r}. Allowed: {', '.join(allowed) or 'none'}.")
