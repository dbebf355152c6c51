"""The naming rule of DataBlob: a class says whose data it is, and ours never overwrite theirs."""

import pytest

from trading.data.data_blob import DataBlob, attribute_name


class MongoFxPrices:
    def __init__(self, store: object) -> None:
        self.store = store


class LinkFxPrices(MongoFxPrices):
    """Theirs."""


def class_named(name: str) -> type:
    return type(name, (), {})


@pytest.mark.parametrize(("name", "attribute"), [
    ("MongoFxPrices", "db_fx_prices"), ("ParquetFxPrices", "db_fx_prices"), ("CsvRollCalendars", "db_roll_calendars"),
    ("LinkFxPrices", "broker_fx_prices"), ("IbFuturesContractPriceData", "broker_futures_contract_price_data")])
def test_a_name_says_whose_it_is(name: str, attribute: str) -> None:
    assert attribute_name(class_named(name)) == attribute


@pytest.mark.parametrize("name", ["FxPrices", "Mongo", "mongoFxPrices", "ArcticFxPrices", "x"])
def test_a_name_that_does_not_say_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} does not say whose data it is; begin its name with one of Mongo, "
                                         "Parquet, Csv, Link, Ib"):
        attribute_name(class_named(name))


def test_ours_and_theirs_stand_side_by_side(tmp_path: object) -> None:
    # given a blob over nothing but a name
    blob = DataBlob(store="the store", clock=None, socket=tmp_path)  # type: ignore[arg-type]

    # when both kinds of the same noun are added
    blob.add_class_list([MongoFxPrices, LinkFxPrices])

    # then each has its own attribute
    assert type(blob.db_fx_prices) is MongoFxPrices
    assert type(blob.broker_fx_prices) is LinkFxPrices  # type: ignore[attr-defined]
    assert blob.db_fx_prices.store == "the store"  # type: ignore[attr-defined]
