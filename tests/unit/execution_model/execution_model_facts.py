"""What never changes in the small world."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

NOW: Final = datetime(2026, 3, 2, 20, tzinfo=UTC)
CONTRACT: Final = "SP500/20260600"
PRICE: Final = Decimal("100")
ACCOUNT: Final = "DU1"
PERM_ID: Final = 1000  # and so many more, by order id and connection
