"""From what a position was computed, so that it can be computed again and compared. Pure."""

import hashlib
from dataclasses import dataclass

import pandas as pd

from trading.errors import DataError
from trading.systems.sim_data import SimData
from trading.systems.system_config import SystemConfig

_DIGITS = 12  # of a hash: enough to tell some thousand versions apart


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """The run that computed it, the settings of its system, and the data that it saw."""

    run: str
    config: str
    data: str


def provenance_of(run: str, config: SystemConfig, data: SimData, code: str) -> Provenance:
    """The provenance of a position in `code`."""
    return Provenance(run=run, config=_short(config.model_dump_json()),
                      data=data_version(data, code, config.base_currency))


def data_version(data: SimData, code: str, base: str) -> str:
    """Changes whenever a price of `code`, a rate of its currency in `base`, its settings or its rolls are others."""
    instrument = data.instrument(code)
    seen = hashlib.sha256(repr((instrument, _rolls_per_year(data, code))).encode())
    for frame in (data.adjusted_prices(code), data.multiple_prices(code), data.fx(instrument.currency, base)):
        seen.update(pd.util.hash_pandas_object(frame, index=True).to_numpy().tobytes())
    return seen.hexdigest()[:_DIGITS]


def _rolls_per_year(data: SimData, code: str) -> int | None:
    """None: nobody has said when `code` is rolled, and no position stands on it."""
    try:
        return data.rolls_per_year(code)
    except DataError:
        return None


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
