"""Csv files are read strictly: what is wrong is named by file, line and column; what can be tidied is, and said."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from trading.data.csv.pysystemtrade import PysystemtradeFolder
from trading.data.csv.tables import Table, tidied
from trading.errors import DataError

LONDON = ZoneInfo("Europe/London")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "SP500.csv"


def read(file: Path, *lines: str) -> Table:
    file.write_text("\n".join(lines) + "\n")
    return Table.read(file, ("DATETIME", "price"))


def test_a_missing_column_is_named_beside_those_that_are_there(file: Path) -> None:
    with pytest.raises(DataError) as refusal:
        read(file, "DATETIME,prise", "2021-01-01,1")
    assert str(refusal.value) == f"{file}:1: column price is missing (found: DATETIME, prise)."


def test_columns_are_found_whatever_their_case(file: Path) -> None:
    assert list(read(file, "datetime, PRICE", "2021-01-01,1").texts.columns) == ["DATETIME", "price"]


@pytest.mark.parametrize("content", ["", "\0\0\0", 'a,b\n"x'])
def test_what_is_no_csv_is_refused_by_its_name(content: str, file: Path) -> None:
    file.write_text(content)
    with pytest.raises(DataError, match=r"SP500.csv:1: "):
        Table.read(file, ("DATETIME", "price"))


def test_what_is_no_text_is_refused_by_its_name(file: Path) -> None:
    file.write_bytes(b"DATETIME,price\n\xff\xfe,1\n")
    with pytest.raises(DataError, match=r"SP500.csv:1: cannot be read as csv"):
        Table.read(file, ("DATETIME", "price"))


def test_a_file_that_is_not_there_is_said(file: Path) -> None:
    with pytest.raises(DataError, match=r"SP500.csv:1: cannot be read as csv"):
        Table.read(file, ("DATETIME",))


@pytest.mark.parametrize("cell", ["abc", "1,5", "inf", "-inf", "1e999", "0x10", "--1", "12:00"])
def test_a_text_among_numbers_is_named_by_line_and_column(cell: str, file: Path) -> None:
    table = read(file, "DATETIME,price", "2021-01-01,1", "2021-01-02,", f'2021-01-03,"{cell}"', "2021-01-04,x")
    with pytest.raises(DataError) as refusal:
        table.numbers("price")
    assert str(refusal.value) == f"{file}:4: column price: {cell!r} is no number."


@pytest.mark.parametrize("cell", ["", "NaN", "nan", "NA", " ", "null", "None"])
def test_an_empty_cell_is_a_missing_value(cell: str, file: Path) -> None:
    assert read(file, "DATETIME,price", f"2021-01-01,{cell}", "2021-01-02,2").numbers("price").isna().tolist() == [
        True, False]


def test_negative_prices_and_exponents_are_numbers(file: Path) -> None:
    table = read(file, "DATETIME,price", "a,-37.63", "b, 1e3 ", "c,0")
    assert table.numbers("price").tolist() == [-37.63, 1000.0, 0.0]


@pytest.mark.parametrize("cell", ["yesterday", "2021-13-01", "2021-02-30", "12", ""])
def test_what_is_no_time_is_named_by_line_and_column(cell: str, file: Path) -> None:
    table = read(file, "DATETIME,price", "2021-01-01,1", f"{cell},1")
    with pytest.raises(DataError) as refusal:
        table.stamps("DATETIME", LONDON)
    assert str(refusal.value) == (f"{file}:3: column DATETIME: {cell!r} is no time (expected YYYY-MM-DD HH:MM:SS).")


def stamps(file: Path, *times: str) -> list[str]:
    found = read(file, "DATETIME,price", *(f"{time},1" for time in times)).stamps("DATETIME", LONDON)
    return [f"{stamp:%m-%d %H:%M}" for stamp in found]


def test_times_without_a_zone_are_local(file: Path) -> None:
    assert stamps(file, "2021-07-01 23:00:00", "2021-12-01 23:00:00") == ["07-01 22:00", "12-01 23:00"]


def test_a_local_time_that_does_not_exist_moves_forward(file: Path) -> None:
    assert stamps(file, "2021-03-28 01:30:00") == ["03-28 01:00"]


def test_a_local_time_that_occurs_twice_is_its_first_pass(file: Path) -> None:
    assert stamps(file, "2021-10-31 01:30:00", "2021-10-31 02:30:00") == ["10-31 00:30", "10-31 02:30"]


def test_times_with_a_zone_are_believed(file: Path) -> None:
    assert stamps(file, "2021-07-01 23:00:00+02:00", "2021-12-01 23:00:00Z") == ["07-01 21:00", "12-01 23:00"]


@pytest.mark.parametrize(("cell", "label"), [("20211200", "20211200"), ("202112", "20211200"),
                                             ("20211215", "20211200"), ("20211200.0", "20211200"), ("", ""),
                                             ("NaN", "")])
def test_contract_labels_are_read_as_the_first_of_their_month(cell: str, label: str, file: Path) -> None:
    assert read(file, "DATETIME,price", f"2021-01-01,{cell}", "x,202201").months("price")[0] == label


@pytest.mark.parametrize("cell", ["20211300", "20210000", "2021", "DEC21", "-1"])
def test_what_is_no_contract_is_named_by_line_and_column(cell: str, file: Path) -> None:
    with pytest.raises(DataError) as refusal:
        read(file, "DATETIME,price", f"2021-01-01,{cell}").months("price")
    assert str(refusal.value) == f"{file}:2: column price: {cell!r} is no contract date (expected YYYYMM00)."


def frame(prices: list[float], days: list[int]) -> pd.DataFrame:
    index = pd.DatetimeIndex([f"2021-01-{day:02d}" for day in days], tz="UTC")
    return pd.DataFrame({"PRICE": prices}, index=index)


@pytest.mark.parametrize(("prices", "days", "kept", "remarks"), [
    ([1, 2, 3], [1, 2, 3], [1, 2, 3], ()),
    ([3, 1, 2], [3, 1, 2], [1, 2, 3], ("rows were not in order of time",)),
    ([1, 2, 9], [1, 2, 2], [1, 9], ("1 repeated times (last kept)",)),
    ([9, 2, 1], [2, 2, 1], [1, 2], ("rows were not in order of time", "1 repeated times (last kept)")),
    ([-1, 2, -3], [1, 2, 3], [-1, 2, -3], ("2 negative",))])
def test_rows_are_put_in_order_and_what_was_done_is_said(prices: list[float], days: list[int], kept: list[float],
                                                         remarks: tuple[str, ...]) -> None:
    result = tidied(frame(prices, days))
    assert result.frame["PRICE"].tolist() == kept
    assert result.remarks == remarks


def test_missing_prices_are_counted() -> None:
    assert tidied(frame([1, float("nan")], [1, 2])).remarks == ("1 without PRICE",)


def test_an_unknown_roll_cycle_is_named_by_its_line(tmp_path: Path) -> None:
    folder = tmp_path / "csvconfig"
    folder.mkdir()
    (folder / "rollconfig.csv").write_text(
        "Instrument,HoldRollCycle,RollOffsetDays,CarryOffset,PricedRollCycle,ExpiryOffset\n"
        "SP500,HMUZ,-5,-1,HMUZ,15\nUS10,HMUA,-5,-1,HMUZ,15\n")
    with pytest.raises(DataError, match=r"rollconfig.csv:3: column HoldRollCycle: 'HMUA' is no roll cycle"):
        PysystemtradeFolder(tmp_path, LONDON).roll_parameters()
