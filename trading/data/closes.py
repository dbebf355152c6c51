"""The operator's convention for daily closes: one row a day, stamped 23:00 local time, in UTC. Pure."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pandas as pd

CLOSE_HOUR = 23


def daily_closes(bars: pd.Series, zone: ZoneInfo) -> pd.Series:
    """Daily values (indexed by midnight UTC of their date) restamped at 23:00 of that date in `zone`."""
    dates = pd.DatetimeIndex(bars.index).tz_localize(None).normalize()
    local = (dates + pd.Timedelta(hours=CLOSE_HOUR)).tz_localize(zone)
    return bars.set_axis(local.tz_convert("UTC").as_unit("ms"))


def merged_bars(intraday: pd.DataFrame, daily: pd.DataFrame, zone: ZoneInfo, now: datetime) -> pd.DataFrame:
    """Hourly and daily bars of one contract as one frame in order of time; nothing later than `now`.

    Where both stand at the same moment the daily bar wins: it is the official close. Rows are unique.
    """
    closes = daily.set_axis(daily_closes(daily["FINAL"], zone).index, axis=0)
    both = pd.concat([intraday, closes])
    both = both[~both.index.duplicated(keep="last")].sort_index()
    return both[both.index <= pd.Timestamp(now)]
