"""What the operator reads when the store refuses, to the letter."""

import pytest
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    NetworkTimeout,
    NotPrimaryError,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WriteError,
)

from trading.data.mongo.store_problem import store_problem

NO_SPACE = ("The store has no room left on its disk and takes no writes. Free some on the machine of MongoDB "
            "(code 14031: {}).")
FULL = {"code": 14031, "errmsg": "12 bytes are left"}


@pytest.mark.parametrize(("error", "sentence"), [
    (OperationFailure("12 bytes are left", 14031, {"ok": 0.0, **FULL}), NO_SPACE.format("12 bytes are left")),
    (WriteError("12 bytes are left", 14031, FULL), NO_SPACE.format("12 bytes are left")),
    (BulkWriteError({"writeErrors": [{"index": 0, **FULL}]}), NO_SPACE.format("batch op errors occurred")),
    (NotPrimaryError("not primary", {"ok": 0.0, "code": 10107}),
     "The store is not primary and takes no writes. They go on once the replica set has a primary; see rs.status() "
     "(code 10107: not primary)."),
    (ServerSelectionTimeoutError("not primary, full error: {'ok': 0.0, 'code': 10107}, Timeout: 4.9s, Topology"),
     "The store is not primary and takes no writes. They go on once the replica set has a primary; see rs.status() "
     "(code 10107: not primary)."),
    (OperationFailure("not authorized", 13, {"ok": 0.0, "code": 13}),
     "The store refuses our user. Give the user of mongo.uri its rights on mongo.database again "
     "(code 13: not authorized)."),
    (OperationFailure("no such thing", 26, {"ok": 0.0, "code": 26}),
     "The store refuses: no such thing. It is tried again all the time."),
    (AutoReconnect("127.0.0.1:1: connection refused (configured timeouts: ...)"),
     "The store does not answer: 127.0.0.1:1: connection refused. It is tried again all the time."),
])
def test_each_trouble_has_its_sentence(error: PyMongoError, sentence: str) -> None:
    assert store_problem(error) == sentence


def test_a_driver_that_gave_up_still_tells_what_it_was_refused_for() -> None:
    # given
    error = NetworkTimeout("gave up")
    error.__cause__ = OperationFailure("12 bytes are left", 14031, {"ok": 0.0, **FULL})

    # then
    assert store_problem(error) == NO_SPACE.format("gave up")
