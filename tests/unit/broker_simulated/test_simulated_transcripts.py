"""Golden transcripts of five real clients: each placeOrder is read whole, and our openOrder is the one they know."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from trading.broker.simulated.listing import ContractFacts
from trading.broker.simulated.order_responses import completed_order, open_order
from trading.broker.simulated.orders import Action, Order, OrderStatus
from trading.broker.simulated.place_order import PlaceOrder
from trading.broker.simulated.request_parser import parse
from trading.broker.simulated.settings import GatewaySettings

FOLDER = Path(__file__).resolve().parents[4] / "shared" / "reference"
pytestmark = [pytest.mark.shared, pytest.mark.skipif(not FOLDER.exists(), reason="no reference beside the checkout")]
VERSIONS = ("157", "176", "178", "200")
MES = ContractFacts(con_id=1001, sec_type="FUT", symbol="MES", exchange="CME", currency="USD", local_symbol="MESH6",
                    trading_class="MES", multiplier="5", magnifier=1, month="202603", expiry="20260320")
AT = datetime(2026, 11, 23, 9, 40, tzinfo=UTC)


def conversation(name: str) -> Iterator[tuple[int, bool, list[str]]]:
    """Agreed version, whether the client speaks, fields."""
    version = 0
    for line in (FOLDER / f"ib_transcript_{name}.log").read_text().splitlines():
        sender, arrow, text = line.partition(" >>> ") if " >>> " in line else line.partition(" <<< ")
        fields = text.split("|")
        if sender == "None" and fields[0] in VERSIONS:
            version = int(fields[0])
        if arrow:
            yield version, arrow == " >>> ", fields


def an_order() -> Order:
    return Order(perm_id=1824933227, client_id=8, order_id=16, con_id=1001, account="DU1234567", action=Action.BUY,
                 quantity=2, order_type="MKT", limit_price=None, tif="DAY", order_ref="FILL", outside_rth=False,
                 status=OrderStatus.PRE_SUBMITTED, placed_at=AT, active_from=AT, expires_at=None)


@pytest.mark.parametrize(("name", "least"), [("157", 30), ("178", 30), ("200", 9)])
def test_no_real_client_sends_a_field_that_we_do_not_read(name: str, least: int) -> None:
    orders = [parse(fields, version) for version, ours, fields in conversation(name) if ours and fields[0] == "3"]
    assert len(orders) >= least
    assert {order.left_over for order in orders if isinstance(order, PlaceOrder)} == {()}


@pytest.mark.parametrize(("name", "version"), [("157", 157), ("178", 176), ("178", 178), ("200", 200)])
def test_the_open_order_has_the_fields_of_the_transcript(name: str, version: int) -> None:
    ours = [*open_order(an_order(), MES, version), ""]
    theirs = [fields for agreed, sent, fields in conversation(name)
              if agreed == version and not sent and fields[0] == "5" and "FILL" in fields and "PreSubmitted" in fields]
    changing = {1, *(at for at, field in enumerate(ours) if field.startswith("1824933227")), ours.index("8")}
    assert [f for at, f in enumerate(theirs[0]) if at not in changing] == [
        f for at, f in enumerate(ours) if at not in changing]


@pytest.mark.parametrize(("name", "version", "count"), [("157", 157, 96), ("178", 176, 101), ("178", 178, 100),
                                                       ("200", 200, 103)])
def test_the_completed_order_has_the_number_of_fields_of_the_transcript(name: str, version: int, count: int) -> None:
    zone = GatewaySettings(state=FOLDER).tz
    theirs = [len(fields) - 1 for agreed, sent, fields in conversation(name)
              if agreed == version and not sent and fields[0] == "101" and fields[1] == "1001" and "FILL" in fields]
    assert (len(completed_order(an_order(), MES, zone, version)), theirs[0]) == (count, count)
