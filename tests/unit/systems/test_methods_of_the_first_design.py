"""Each method that docs/names.md lists, called with the meaning that it has there."""

import re
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_market import MadeSimData, a_system, wandering

from trading.quant.correlation import CorrelationEstimator
from trading.quant.portfolio_optimiser import PortfolioOptimiser, Uncertainty, UncertaintySet
from trading.quant.volatility import VolatilityEstimator
from trading.systems.cache import SystemCache
from trading.systems.portfolio import Portfolio

DOCUMENT = (Path(__file__).resolve().parents[3] / "docs" / "names.md").read_text()
CLASSES = {path.rpartition(".")[2]: path for path in re.findall(r"^\| `\w+` \| `([\w.]+)` \|$", DOCUMENT, re.MULTILINE)}
METHODS = re.findall(r"^\| `(\w+)\.(\w+)(?:\(([\w, ]*)\))?` \|", DOCUMENT, re.MULTILINE)
RETURNS = pd.DataFrame(np.random.default_rng(3).normal(0, 0.01, (400, 3)), columns=list("ABC"),
                       index=pd.bdate_range("2020-01-01", periods=400))


@pytest.mark.parametrize(("owner", "method", "arguments"), METHODS)
def test_it_exists_with_the_arguments_that_are_written_down(owner: str, method: str, arguments: str) -> None:
    import inspect

    module, _, name = CLASSES[owner].rpartition(".")
    found = inspect.getattr_static(getattr(import_module(module), name), method)
    if not isinstance(found, property):
        function = getattr(found, "__func__", found)  # of a class method
        assert list(inspect.signature(function).parameters)[1:] == [word for word in arguments.split(", ") if word]


def test_a_system_gives_its_stages_and_a_stage_its_items() -> None:
    system = a_system(MadeSimData({"A": wandering()}))
    stage, calls = system.get_item("portfolio"), []
    assert isinstance(stage, Portfolio)
    assert [stage.get_item("mine", "A", lambda: calls.append("computed")) for _ in range(2)] == [None, None]
    assert calls == ["computed"]


def test_a_cache_drops_what_was_made_of_what_changed() -> None:
    cache = SystemCache(lambda: 0.0)
    cache.set_item("price", 100.0)
    cache.set_item("volatility", 2.0, dependencies=("price",))
    cache.set_item("position", 5, dependencies=("volatility",))
    assert cache.get_item("position", lambda: 0) == 5
    assert cache.invalidate_dependencies("price") == 2
    assert cache.get_item("position", lambda: 7) == 7
    assert (cache.statistics.items, cache.statistics.hits) == (2, 1)


def test_the_numbers_are_what_their_names_say() -> None:
    volatility = VolatilityEstimator().estimate(RETURNS["A"]).iloc[-1]
    assert volatility == pytest.approx(0.01, rel=0.2)
    correlations = CorrelationEstimator().estimate(RETURNS)
    assert np.linalg.eigvalsh(correlations).min() > 0
    assert correlations.abs().to_numpy()[~np.eye(3, dtype=bool)].max() < 0.3
    changed = RETURNS.assign(B=np.where(np.arange(400) < 200, RETURNS["A"], -RETURNS["A"]) + 0.1 * RETURNS["B"])
    assert ("A", "B") in CorrelationEstimator().detect_correlation_regime_changes(changed, size=0.05)
    optimiser = PortfolioOptimiser(upper=0.5)
    for weights in (optimiser.get_weights_using_shrinkage(RETURNS),
                    optimiser.get_weights_using_robust_optimization(RETURNS, risk_aversion=2.0, uncertainty=Uncertainty(
                        set=UncertaintySet.BOX))):
        assert sum(weights.values) == pytest.approx(1.0)
        assert all(0 <= weight <= 0.5 + 1e-9 for weight in weights.values)
