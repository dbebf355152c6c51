"""Many independent things in one transaction, or, when one of them makes it fail, each in its own.

A transaction costs as much as the writes of several documents. What is wrong with one thing must stop no other.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from pymongo.errors import ConnectionFailure, PyMongoError

from trading.log import get_log

log = get_log()
Thing = TypeVar("Thing")
Result = TypeVar("Result")


def together(things: Sequence[Thing], at_once: Callable[[Sequence[Thing]], list[Result]],
             alone: Callable[[Thing], Result]) -> list[Result | Exception]:
    """For each thing what became of it: what `at_once` or `alone` says of it, or why nothing was stored of it.

    Raises:
        PyMongoError: the store does not answer; what was stored before is stored.
    """
    if len(things) > 1:
        try:
            return [*at_once(things)]
        except Exception as error:  # the boundary between things: which of them it was is found out below
            if isinstance(error, ConnectionFailure) and not error.timeout:
                raise
            log.info("one_by_one", things=len(things), reason=str(error))
    return [_tried(alone, thing) for thing in things]


def _tried(alone: Callable[[Thing], Result], thing: Thing) -> Result | Exception:
    try:
        return alone(thing)
    except Exception as error:  # the same boundary: whoever asked is told of each
        if isinstance(error, PyMongoError) and (error.timeout or isinstance(error, ConnectionFailure)):
            raise
        return error
