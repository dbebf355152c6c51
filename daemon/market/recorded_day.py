"""Which recorded day is played, and what time it then is. Pure."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from trading.data.mongo.settings import Playback
from trading.errors import TradingError


class NothingLeftToPlay(TradingError):
    """Every recorded day has been played."""

    def __init__(self, playback: Playback) -> None:
        super().__init__(f"All {len(playback.days)} recorded days ({playback.days[0]} to {playback.days[-1]}) have "
                         f"been played. Play the last one again with AGAIN=1, or remove the state directory to "
                         f"begin anew.")


def day_to_play(playback: Playback, again: bool) -> date:
    """The next recorded day, an interrupted one, or the same `again`.

    Raises:
        NothingLeftToPlay: there is none.
    """
    day = playback.next_day(again)
    if day is None:
        raise NothingLeftToPlay(playback)
    return day


def instant_of(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The moment at which `day` is played: after its last price."""
    return datetime.combine(day, at, zone)


def not_before(instant: datetime, last: datetime | None, zone: ZoneInfo) -> datetime:
    """`instant`, or a second behind `last` when that was later on the same day: a played day does not run backwards."""
    if last is None or last < instant or last.astimezone(zone).date() != instant.astimezone(zone).date():
        return instant
    return last + timedelta(seconds=1)
