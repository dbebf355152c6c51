"""Faults of the socket: bytes that no client should trust, and connections that end or go dumb. Pure."""

from typing import Final

from trading.broker.simulated.faults.fault import FaultKind
from trading.broker.simulated.wire import encode

BREAKING: Final = frozenset({FaultKind.CLOSE, FaultKind.RESET, FaultKind.TRUNCATE, FaultKind.RESTART})
WIRE_FAULTS: Final = BREAKING | {FaultKind.HALF_OPEN, FaultKind.GARBAGE, FaultKind.HUGE, FaultKind.BAD_TEXT,
                                 FaultKind.UNKNOWN_MESSAGE}
BYTES: Final = {
    FaultKind.GARBAGE: encode(("3", "not", "a", "number")) + encode(("", "", "")) + encode(("11",)),
    FaultKind.HUGE: (2**31 - 1).to_bytes(4, "big") + b"4\x002\x00",
    FaultKind.TRUNCATE: encode(("4", "2", "-1", "2104", "half a frame"))[:-9],
    FaultKind.BAD_TEXT: (9).to_bytes(4, "big") + b"4\x00\xff\xfe\x80\x00\xc3\x28\x00",
    FaultKind.UNKNOWN_MESSAGE: encode(("9999", "1", "what is this")),
}
