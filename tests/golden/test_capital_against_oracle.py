"""Capital in production and in backtests against pysystemtrade's, on the paths that its case file gives."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from oracle import PEER, found, found_in, needs_numbers

from trading.conventions import OURS, PYSYSTEMTRADE, Conventions
from trading.objects.capital import Capital, CapitalFall, CapitalMethod
from trading.objects.compounding import full_multiplier, half_multiplier

pytestmark = needs_numbers
CASES = PEER / "11_capital" / "cases.json"


@pytest.mark.parametrize("conventions", [OURS, PYSYSTEMTRADE], ids=["ours", "pysystemtrade"])
@pytest.mark.parametrize("case", found_in(CASES, "production_updater"))
def test_capital_of_production_equals_the_oracle(case: dict[str, Any], conventions: Conventions) -> None:
    capital = Capital.opened_with(case["start"])
    for day in case["path"]:
        before, capital = capital, capital.after(day["broker"], CapitalMethod(case["method"]), conventions)
        ours = (capital.profit - before.profit, capital.total, capital.maximum)
        assert ours == pytest.approx((day["pandl"], day["total"], day["maximum"]), rel=1e-12)


@pytest.mark.parametrize("file", found(CASES.parent, "cases.json"))
def test_a_jump_that_the_oracle_refuses_is_refused(file: Path) -> None:
    assert "850000" in json.loads(file.read_text())["limit_breach_15pct"]
    with pytest.raises(CapitalFall, match="from 1,000,000 to 850,000, more than 10% down in a day"):
        Capital.opened_with(1e6).after(850_000, CapitalMethod.FULL, PYSYSTEMTRADE)
    assert Capital.opened_with(1e6).after(850_000, CapitalMethod.FULL, OURS).total == 850_000


def path(file: Path, name: str) -> pd.Series:
    series = pd.Series(json.loads(file.read_text())["sim"][name], dtype=float)
    return series.set_axis(pd.to_datetime(series.index))


@pytest.mark.parametrize("file", found(CASES.parent, "cases.json"))
def test_compounding_on_a_path_equals_the_oracle(file: Path) -> None:
    returns = path(file, "returns_pct") / 100
    np.testing.assert_allclose(full_multiplier(returns), path(file, "full"), rtol=1e-9)
    np.testing.assert_allclose(half_multiplier(returns, PYSYSTEMTRADE), path(file, "half"), rtol=1e-9)


@pytest.mark.parametrize("file", found(CASES.parent, "sim_multipliers.csv.gz"))
def test_compounding_on_an_account_curve_equals_the_oracle(file: Path) -> None:
    expected = pd.read_csv(file, index_col=0, parse_dates=True)
    returns = expected["portfolio_net_pct"] / 100
    known = expected["full"].notna()
    np.testing.assert_allclose(full_multiplier(returns)[known], expected["full"][known], rtol=1e-6)
    np.testing.assert_allclose(half_multiplier(returns, PYSYSTEMTRADE), expected["half"], rtol=1e-6)
    assert (full_multiplier(returns)[~known] == 1.0).all()  # nothing was gained yet
