"""What the document on weights shows runs as it stands there, on made-up returns; only the cluster is left out."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "how_to" / "weights.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)


def test_the_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(5)
    moves = random.standard_normal((600, 8)) + random.standard_normal((600, 1))
    index = pd.bdate_range("2020-01-01", periods=600)
    pd.DataFrame(moves * 0.01, index, [f"I{number}" for number in range(8)]).to_csv(tmp_path / "returns.csv")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    assert len(BLOCKS) >= 2
    for block in BLOCKS:
        here = "".join(line for line in block.splitlines(keepends=True) if "DaskCluster.at(" not in line)
        exec(compile(here.replace("samples=1000", "samples=20"), str(DOCUMENT), "exec"), names)


def test_every_method_that_it_names_is_there() -> None:
    from trading.quant.portfolio_optimiser import PortfolioOptimiser

    table = DOCUMENT.read_text().partition("| method | its answer |")[2].partition("\n\n")[0]
    rows = [line for line in table.splitlines() if line.startswith("|")]
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])]
    assert len(named) > 10
    for name in named:
        assert hasattr(PortfolioOptimiser, name), name
