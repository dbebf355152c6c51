from dataclasses import dataclass
from datetime import datetime, UTC
from cronsim import CronSim
from trading.errors import ConfigError
@dataclass(frozen=True)
class FireTime:
    instant: datetime
    nominals: tuple[datetime, ...]
def next_after(expression, zone, after):
    t = next(CronSim(expression, after.astimezone(zone)))
    return FireTime(t.astimezone(UTC), (t.replace(tzinfo=None),))
def check(expression):
    try: CronSim(expression, datetime(2026,1,1))
    except Exception as e: raise ConfigError(str(e))
