"""What a strategy wants, stored with what it was computed from."""

from datetime import UTC, datetime

import pytest

from trading.data.mongo.connection import MongoStore
from trading.data.mongo.optimal_positions import MongoOptimalPositions
from trading.errors import NotFound
from trading.systems.buffered_position import BufferedPosition
from trading.systems.provenance import Provenance

POSITION = BufferedPosition(lower=1.5, upper=2.5, optimal=2.0, reference_price=100.0, reference_contract="20260600",
                            as_of=datetime(2026, 3, 2, 20, tzinfo=UTC))
SOURCE = Provenance(run="run_systems@x#1", config="0123456789ab", data="ba9876543210")


def test_a_position_comes_back_with_its_source(store: MongoStore) -> None:
    positions = MongoOptimalPositions(store)
    positions.save("example", "SP500", "2026-03-02", POSITION, SOURCE)
    assert positions.of_day("example", "2026-03-02") == {"SP500": POSITION}
    assert positions.provenance("example", "SP500", "2026-03-02") == SOURCE
    with pytest.raises(NotFound, match="example wanted nothing in SP500 on 2026-03-03"):
        positions.provenance("example", "SP500", "2026-03-03")
