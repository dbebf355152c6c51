"""What is wrong with the store, as a sentence to the operator: who has to do what. Pure.

A store that answers, but refuses, is not one that does not answer: a full disk, a server that is not primary and lost
rights each need another hand.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pymongo.errors import OperationFailure, PyMongoError

_NO_SPACE = "has no room left on its disk and takes no writes. Free some on the machine of MongoDB"
_NOT_PRIMARY = "is not primary and takes no writes. They go on once the replica set has a primary; see rs.status()"
_NO_RIGHTS = "refuses our user. Give the user of mongo.uri its rights on mongo.database again"
_CODE: Final = re.compile(r"'code': (\d+)")
_REFUSALS: Final = {14031: _NO_SPACE, 10107: _NOT_PRIMARY, 13435: _NOT_PRIMARY, 13436: _NOT_PRIMARY,
                    13: _NO_RIGHTS, 18: _NO_RIGHTS}


def store_problem(error: PyMongoError) -> str:
    """The sentence; the server's own words stand in brackets."""
    words = _first_words(error)
    for code in _codes(error):
        if code in _REFUSALS:
            return f"The store {_REFUSALS[code]} (code {code}: {words})."
    if isinstance(error, OperationFailure):
        return f"The store refuses: {words}. It is tried again all the time."
    return f"The store does not answer: {words}. It is tried again all the time."


def _codes(error: BaseException | None) -> Iterator[int]:
    """Those of the error, of its rows, and of what led to it: a driver that gave up hides why behind a timeout.

    When it has looked for a server in vain, the last refusal stands in the text alone.
    """
    while error is not None:
        details = getattr(error, "details", None)  # not every error of the driver has it
        if isinstance(details, Mapping):
            yield from _codes_in(details)
        yield from map(int, _CODE.findall(str(error)))
        error = error.__cause__


def _codes_in(details: Mapping[str, Any]) -> Iterator[int]:
    for row in (*details.get("writeErrors", ()), details.get("writeConcernError") or {}, details):
        if "code" in row:
            yield int(row["code"])


def _first_words(error: PyMongoError) -> str:
    text = str(error)
    for end in (", full error:", ", Timeout:", " (configured timeouts"):
        text = text.partition(end)[0]
    return text[:160].rstrip(".")
