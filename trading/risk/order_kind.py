"""Why an order exists, as far as the controls care. Pure."""

from enum import StrEnum


class OrderKind(StrEnum):
    """A closed set; what a kind may skip is said in pre_trade.py."""

    STRATEGY = "STRATEGY"    # a strategy wants another position
    ROLL = "ROLL"            # from one contract month to the next
    MANUAL = "MANUAL"        # a person has typed it, with a reason
    CLOSE_OUT = "CLOSE_OUT"  # a limit, an override or an expiry forces it
    FLATTEN = "FLATTEN"      # an operator leaves everything, kill level K4
    BALANCE = "BALANCE"      # changes the books only; it is never executed
    EXTERNAL = "EXTERNAL"    # traded at the broker by somebody else
    PANIC = "PANIC"          # a manual order that skips the controls of comfort, never those of size
