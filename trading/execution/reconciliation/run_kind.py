"""Why our books and the broker's are compared (orders_and_risk.md 4.3 to 4.5)."""

from enum import StrEnum


class RunKind(StrEnum):
    """What has made it necessary."""

    START_OF_DAY = "START_OF_DAY"
    RECONNECT = "RECONNECT"  # a new connection: nothing that was known of the old one holds
    CONTINUOUS = "CONTINUOUS"
    END_OF_DAY = "END_OF_DAY"
