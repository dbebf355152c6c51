"""The newest of many documents without sorting them all: look into the last hour first, then further and further back.

Not every server of the wire protocol walks an index backwards for a sort; a range on it every one does.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final

from trading.data.mongo.connection import Document

_BACK: Final = tuple(timedelta(hours=hours) for hours in (1, 12, 24 * 7, 24 * 60, 24 * 400))
_EARLIEST: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def newest(since: Callable[[datetime], Iterable[Document]], now: datetime | None, limit: int) -> list[Document]:
    """At most `limit` documents; `since` gives those not older than a moment (aware), the newest first.

    `now` is about when the newest was written; without it everything is sorted.
    """
    found: list[Document] = []
    for span in _BACK if now is not None else ():
        assert now is not None
        found = list(since(now - span))[:limit]
        if len(found) == limit:
            return found
    return list(since(_EARLIEST))[:limit]
