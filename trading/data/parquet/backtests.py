"""Backtests as they were computed, for looking at later: a Parquet file an item, the settings beside them as JSON.

Kept are the last thousand business days of what leads from prices to positions. Nothing is computed from them again.
"""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from trading.errors import NotFound
from trading.systems.combined_forecasts import CombineForecasts
from trading.systems.contract_risk import ContractRisk
from trading.systems.forecast_weights import ForecastWeights
from trading.systems.forecasts import ForecastScaleCap
from trading.systems.instrument_weights import InstrumentWeights
from trading.systems.portfolio import Portfolio
from trading.systems.position_size import PositionSize
from trading.systems.provenance import Provenance
from trading.systems.rawdata import RawData
from trading.systems.system import System
from trading.systems.system_config import SystemConfig

DAYS: Final = 1_000
_SETTINGS: Final = "settings.json"
Item = Callable[[System, str], "pd.Series | pd.DataFrame"]

ITEMS: Final[Mapping[str, Item]] = {
    "rawdata.daily_prices": lambda system, code: system.stage(RawData).daily_prices(code),
    "rawdata.daily_volatility": lambda system, code: system.stage(RawData).daily_volatility(code),
    "contractRisk.value_volatility": lambda system, code: system.stage(ContractRisk).value_volatility(code),
    "forecastScaleCap.capped_forecasts": lambda system, code: system.stage(ForecastScaleCap).capped_forecasts(code),
    "forecastWeights.weights": lambda system, code: system.stage(ForecastWeights).weights(code),
    "combForecast.combined_forecast": lambda system, code: system.stage(CombineForecasts).combined_forecast(code),
    "positionSize.subsystem_position": lambda system, code: system.stage(PositionSize).subsystem_position(code),
    "instrumentWeights.weight": lambda system, code: system.stage(InstrumentWeights).weight(code),
    "portfolio.notional_position": lambda system, code: system.stage(Portfolio).notional_position(code),
    "portfolio.buffer": lambda system, code: system.stage(Portfolio).buffer(code)}


@dataclass(frozen=True)
class SavedBacktest:
    """One computation of one strategy."""

    folder: Path

    @property
    def run(self) -> str:
        return str(self._settings()["run"])

    @property
    def config(self) -> SystemConfig:
        """The settings that it was computed with."""
        return SystemConfig.model_validate(self._settings()["config"])

    @property
    def sources(self) -> dict[str, Provenance]:
        """From what the position of each instrument was computed."""
        return {code: Provenance(**source) for code, source in self._settings()["sources"].items()}

    def item(self, name: str) -> pd.DataFrame:
        """A column an instrument, or an instrument and a rule: `item("portfolio.notional_position")["SP500"]`.

        Raises:
            NotFound: no such item is kept; the message says what is.
        """
        path = self.folder / f"{name}.parquet"
        if not path.is_file():
            there = ", ".join(sorted(file.stem for file in self.folder.glob("*.parquet")))
            raise NotFound(f"The backtest {self.folder.name} has no item {name} (there: {there}).")
        return pd.read_parquet(path)

    def _settings(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / _SETTINGS).read_text(encoding="utf-8"))
        return found


class ParquetBacktests:
    """All saved backtests: `<folder>/<strategy>/<run>/`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, strategy: str, system: System, sources: Mapping[str, Provenance]) -> SavedBacktest:
        """Keep what `system` computed for the instruments of `sources`; a run that is saved again replaces itself.

        Whole or not at all: written beside, then renamed.
        """
        run = next(iter(sources.values())).run
        target = self._folder / strategy / _file_name(run)
        partial = target.with_name(f".{target.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        for name, item in ITEMS.items():
            columns = {code: item(system, code).tail(DAYS) for code in sources}
            pd.concat(columns, axis=1).to_parquet(partial / f"{name}.parquet", compression="zstd")
        settings = {"run": run, "config": system.config.model_dump(mode="json", exclude_defaults=True),
                    "sources": {code: asdict(source) for code, source in sources.items()}}
        (partial / _SETTINGS).write_text(json.dumps(settings, indent=1), encoding="utf-8")
        shutil.rmtree(target, ignore_errors=True)
        partial.rename(target)
        return SavedBacktest(target)

    def all_of(self, strategy: str) -> list[SavedBacktest]:
        """Whole ones, the oldest first."""
        folders = [path for path in (self._folder / strategy).glob("[!.]*") if (path / _SETTINGS).is_file()]
        return [SavedBacktest(path) for path in sorted(folders, key=lambda path: path.stat().st_mtime_ns)]

    def newest(self, strategy: str) -> SavedBacktest:
        """
        Raises:
            NotFound: none is kept.
        """
        found = self.all_of(strategy)
        if not found:
            raise NotFound(f"No backtest of {strategy} is kept in {self._folder}. run_systems saves one each time: "
                           f"tradectl run run_systems")
        return found[-1]

    def keep_newest(self, count: int) -> int:
        """Delete all but the newest `count` of each strategy; how many."""
        old = [backtest for strategy in self._folder.glob("*") for backtest in self.all_of(strategy.name)[:-count]]
        for backtest in old:
            shutil.rmtree(backtest.folder)
        return len(old)


def _file_name(run: str) -> str:
    """A run's name without what folders dislike."""
    return run.partition("@")[2].replace(":", "").replace("#", ".") or run
