"""Made-up closes of the contracts of one instrument: holes, weekends without prices, prices below zero."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from trading.objects.contracts import DeliveryMonth
from trading.objects.rolls import RollParameters

FIRST, LAST = DeliveryMonth(2020, 1), DeliveryMonth(2021, 12)
TODAY = date(2021, 9, 15)

QUARTERLY = RollParameters(hold_cycle="HMUZ", priced_cycle="HMUZ", roll_offset_days=-5, carry_offset=1,
                           expiry_offset_days=14)
WINTER = RollParameters(hold_cycle="Z", priced_cycle="FGHJKMNQUVXZ", roll_offset_days=-40, carry_offset=-1,
                        expiry_offset_days=-11)
MONTHLY = RollParameters(hold_cycle="FGHJKMNQUVXZ", priced_cycle="FGHJKMNQUVXZ", roll_offset_days=-10, carry_offset=1,
                         expiry_offset_days=15)
PARAMETERS = st.sampled_from([QUARTERLY, WINTER, MONTHLY])


def made_closes(rolls: RollParameters, seed: int, known: float = 0.8) -> dict[DeliveryMonth, pd.Series]:
    """A close on about `known` of the weekdays of each contract's last 400 days, none later than TODAY."""
    random, closes, month = np.random.default_rng(seed), {}, FIRST
    while month <= LAST:
        end = min(rolls.expiry(month), TODAY)
        days = pd.bdate_range(rolls.expiry(month) - timedelta(days=400), end, tz="UTC")
        days = days[random.random(len(days)) < known]
        if month.letter in rolls.priced_cycle and len(days):
            closes[month] = pd.Series(random.normal(1.0, 2.0, len(days)).round(2), index=days)
        month = month.shifted(1)
    return closes
