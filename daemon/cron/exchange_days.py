"""A child of the daemon: prints the sessions of an exchange as JSON, because the library that knows them is heavy.

    python -m daemon.cron.exchange_days                             the codes that it knows, one a line
    python -m daemon.cron.exchange_days XLON                        what the library covers by itself
    python -m daemon.cron.exchange_days XLON 2016-01-01 2028-12-31  from one date to the other, as far as they are known

Exit codes: 0 done, 2 there is no such exchange. Nothing else of ours imports exchange_calendars.
"""

import json
import sys
from collections.abc import Sequence
from datetime import date
from typing import Any

import exchange_calendars
from exchange_calendars.errors import InvalidCalendarName


def main(words: Sequence[str]) -> int:
    """Answer on standard output."""
    if not words:
        print("\n".join(exchange_calendars.get_calendar_names()))
        return 0
    code, span = words[0], [date.fromisoformat(word) for word in words[1:3]]
    try:
        print(json.dumps(sessions_of(code, *span)))
    except InvalidCalendarName as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def sessions_of(code: str, first: date | None = None, last: date | None = None) -> dict[str, Any]:
    """The session dates of `code`, and the first and last date for which they are complete."""
    calendar = exchange_calendars.get_calendar(code)
    earliest, latest = calendar.bound_min(), calendar.bound_max()
    if first is not None and last is not None:
        first = first if earliest is None else max(first, earliest.date())
        last = last if latest is None else min(last, latest.date())
        calendar = exchange_calendars.get_calendar(code, start=first.isoformat(), end=last.isoformat())
    dates = [session.date().isoformat() for session in calendar.sessions]
    return {"exchange": code, "first": first.isoformat() if first else dates[0],
            "last": last.isoformat() if last else dates[-1], "sessions": dates}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
