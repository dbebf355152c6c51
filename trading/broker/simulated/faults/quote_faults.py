"""What a fault does to a quote: no model of a market, only what a broken feed shows. Pure."""

from typing import Final

Message = tuple[str, ...]
TICK_PRICE: Final = "1"
TICK_SIZE: Final = "2"
BIDS: Final = ("1", "66")


def quoted(message: Message, style: str) -> Message | None:
    """`message` as a client gets it; None when it gets nothing. Everything but quotes passes."""
    if style == "frozen":
        return None if message[0] in (TICK_PRICE, TICK_SIZE) else message
    return _changed(message, style) if message[0] == TICK_PRICE else message


def _changed(message: Message, style: str) -> Message:
    match style:
        case "none":
            return (*message[:4], "-1", "0", message[6])
        case "zero":
            return (*message[:4], "0", *message[5:])
        case "spike":
            return _times(message, 1.25)
    return _times(message, 1.01) if message[3] in BIDS else message  # crossed


def _times(message: Message, factor: float) -> Message:
    return (*message[:4], f"{float(message[4]) * factor:.6f}".rstrip("0").rstrip("."), *message[5:])
