"""Which contracts exist, as of when, and how a client may name one."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from simulated_record import NOON, a_market

from trading.broker.simulated.listing import ContractQuery, Listing

LISTING = Listing(a_market(), "USD", ZoneInfo("Europe/London"))


def found(query: ContractQuery, now: datetime = NOON, *, expired: bool = False) -> list[str]:
    return [contract.facts.local_symbol for contract in LISTING.find(query, now, include_expired=expired)]


def test_a_symbol_alone_finds_all_living_months() -> None:
    assert found(ContractQuery(symbol="ES", sec_type="FUT")) == ["ESZ1", "ESH2"]


def test_an_expired_month_appears_only_on_request() -> None:
    assert found(ContractQuery(symbol="ES"), expired=True) == ["ESU1", "ESZ1", "ESH2"]


def test_a_contract_is_unknown_before_the_record_names_it() -> None:
    assert found(ContractQuery(symbol="ES"), NOON - timedelta(days=60), expired=True) == []


def test_a_month_without_any_price_is_listed_by_its_label() -> None:
    assert found(ContractQuery(symbol="ZC", last_trade_date_or_month="202206")) == ["ZCM2"]


def test_month_day_local_symbol_and_id_name_the_same_contract() -> None:
    by_id = LISTING.find(ContractQuery(symbol="ES", last_trade_date_or_month="202112"), NOON, include_expired=False)
    queries = [ContractQuery(con_id=by_id[0].facts.con_id), ContractQuery(local_symbol="ESZ1", exchange="CME"),
               ContractQuery(symbol="ES", last_trade_date_or_month="20211217", multiplier="50.0")]
    assert [found(query) for query in queries] == [["ESZ1"]] * 3


def test_a_wrong_multiplier_finds_nothing() -> None:
    assert found(ContractQuery(symbol="ES", multiplier="5")) == []


def test_ids_are_the_same_in_every_run() -> None:
    again = Listing(a_market(), "USD", ZoneInfo("Europe/London"))
    ids = [[c.facts.con_id for c in listing.find(ContractQuery(symbol="ES"), NOON, include_expired=True)]
           for listing in (LISTING, again)]
    assert ids[0] == ids[1]
    assert all(0 < con_id < 2**31 for con_id in ids[0])


def test_grains_quoted_in_cents_carry_a_magnifier() -> None:
    corn = LISTING.find(ContractQuery(symbol="ZC"), NOON, include_expired=False)[0]
    assert (corn.facts.multiplier, corn.facts.magnifier, corn.facts.point_value) == ("5000", 100, 50.0)


def test_an_inverted_pair_is_listed_as_the_broker_trades_it() -> None:
    pair = LISTING.find(ContractQuery(symbol="USD", sec_type="CASH", currency="JPY"), NOON, include_expired=False)[0]
    assert pair.facts.local_symbol == "USD.JPY"
    assert round(pair.prints.until(NOON).last() or 0, 2) == 113.64


def test_the_touch_is_rounded_outward_to_the_tick() -> None:
    contract = LISTING.find(ContractQuery(local_symbol="ESZ1"), NOON, include_expired=False)[0]
    touch = contract.touch(4350.0)
    assert (str(touch.bid), str(touch.ask)) == ("4349.87", "4350.13")


def test_a_contract_lives_through_its_last_day() -> None:
    query = ContractQuery(local_symbol="ESZ1")
    assert found(query, datetime(2021, 12, 17, 20, tzinfo=UTC)) == ["ESZ1"]
    assert found(query, datetime(2021, 12, 18, 0, tzinfo=UTC)) == []
