"""The tree of errors. A message is a sentence to a person: what, which, allowed, next step.

TradingError
├── ConfigError          a file, key or flag is wrong: exit code 2, nothing was changed
├── DataError            market or reference data is missing, malformed or implausible: expected, skip the item
├── StoreError           the database refused, is away, or somebody else wrote first
│   ├── ConcurrentUpdate
│   ├── SlotTaken
│   └── NotFound
├── BrokerError          the broker refused a request, or is away
│   ├── BrokerUnavailable
│   └── NoPermission
├── PositionsDiffer      our books and the broker disagree; the instruments are locked
├── StopRequested        the operator or the supervisor asked this job to stop
└── JobIncomplete        a job did what it could; the message says what is missing
"""


class TradingError(Exception):
    """Everything that we raise on purpose. The message is for a person."""


class ConfigError(TradingError):
    """A configuration file, key or command-line flag is wrong."""


class DataError(TradingError):
    """Data is missing, malformed or implausible; the item is skipped, the rest goes on."""


class StoreError(TradingError):
    """The database refused a request or could not be reached."""


class StoreUnreachable(StoreError):
    """No database answered for as long as was allowed; it may be worth trying again later."""


class ConcurrentUpdate(StoreError):
    """Somebody wrote the document since it was read; load it and decide again."""

    def __init__(self, what: str, version: int) -> None:
        super().__init__(f"{what} was changed by somebody else since version {version} was read. "
                         f"Read it again and decide anew.")


class SlotTaken(StoreError):
    """A run of this slot and attempt exists already; a slot is never started twice."""

    def __init__(self, run: str) -> None:
        super().__init__(f"{run} exists already; nothing was started. See: tradectl history {run.partition('@')[0]}")
        self.run = run


class NotFound(StoreError):
    """The document does not exist."""


class BrokerError(TradingError):
    """The broker refused a request."""

    def __init__(self, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code


class BrokerUnavailable(BrokerError):
    """The broker cannot be reached or is not ready; nothing was sent."""


class NoPermission(BrokerError):
    """The account has not subscribed to the data that was asked for."""


class StopRequested(TradingError):
    """Raised by `checkpoint()` when this run was asked to stop."""


class PositionsDiffer(TradingError):
    """Our books and the broker's positions disagree; a person must find out why."""


class JobIncomplete(TradingError):
    """The job did what it could, and what comes after it can go on; the message names what is missing."""
