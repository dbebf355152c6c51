"""Importing a pysystemtrade folder into the real store: repeatable, and a malformed file harms no other."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from trading.data.csv.sample_markets import write_sample_markets
from trading.data.import_pysystemtrade import ImportedFile, PysystemtradeImport
from trading.data.mongo.connection import MongoStore
from trading.data.mongo.instruments import MongoInstruments
from trading.data.mongo.prices import MongoAdjustedPrices, MongoFxPrices, MongoMultiplePrices
from trading.data.mongo.settings import MongoSettings
from trading.errors import DataError

LONDON = ZoneInfo("Europe/London")
SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_sample_markets(tmp_path, seed=7)
    return tmp_path


def imported(store: MongoStore, folder: Path, hold_back: int = 20) -> dict[str, ImportedFile]:
    return {file.file: file for file in PysystemtradeImport(store, folder, LONDON, hold_back).run()}


def test_a_whole_folder_goes_in_and_twenty_days_are_held_back(store: MongoStore, folder: Path) -> None:
    files = imported(store, folder)
    assert all(file.error is None for file in files.values())
    playback = MongoSettings(store).playback()
    assert len(playback.days) == 20
    for code in MongoMultiplePrices(store).codes():
        last = MongoMultiplePrices(store).load(code).index[-1]
        assert last.tz_convert(LONDON).date() < playback.days[0]
    assert files["multiple_prices_csv/ALPHA.csv"].held_back > 0
    assert MongoInstruments(store).load("KILO").broker.exchange == "OSE.JPN"
    assert set(MongoFxPrices(store).pairs()) == {"EURUSD", "JPYUSD", "CHFUSD", "GBPUSD"}


def test_an_import_that_breaks_off_is_known_to_be_repeated_and_ends_with_everything(store: MongoStore,
                                                                                    folder: Path) -> None:
    running = PysystemtradeImport(store, folder, LONDON, 20).run()
    assert next(file.file for file in running if file.file.startswith("adjusted_prices_csv/BRAVO"))
    assert not MongoSettings(store).has_imported()
    imported(store, folder)
    assert MongoSettings(store).has_imported()
    assert MongoAdjustedPrices(store).codes() == MongoMultiplePrices(store).codes()


def test_importing_again_adds_nothing(store: MongoStore, folder: Path) -> None:
    imported(store, folder)
    again = imported(store, folder)
    assert sum(file.added for name, file in again.items() if "_csv/" in name) == 0


def break_line(path: Path, number: int, text: str) -> None:
    lines = path.read_text().splitlines()
    lines[number - 1] = text
    path.write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize(("file", "line", "text", "complaint"), [
    ("adjusted_prices_csv/ALPHA.csv", 1, "DATETIME,prise", "ALPHA.csv:1: column price is missing"),
    ("adjusted_prices_csv/ALPHA.csv", 10, "2019-07-01 23:00:00,abc", "ALPHA.csv:10: column price: 'abc' is no number"),
    ("adjusted_prices_csv/ALPHA.csv", 10, "2019-07-01 23:00:00,inf", "ALPHA.csv:10: column price: 'inf' is no number"),
    ("adjusted_prices_csv/ALPHA.csv", 12, "yesterday,3", "ALPHA.csv:12: column DATETIME: 'yesterday' is no time"),
    ("multiple_prices_csv/ALPHA.csv", 9, "2019-07-01 23:00:00,1,20201300,1,20200900,1,20201200",
     "ALPHA.csv:9: column CARRY_CONTRACT: '20201300' is no contract date"),
])
def test_a_malformed_file_is_refused_with_line_and_column_and_the_rest_goes_in(
        store: MongoStore, folder: Path, file: str, line: int, text: str, complaint: str) -> None:
    break_line(folder / file, line, text)
    files = imported(store, folder)
    assert complaint in str(files[file].error)
    assert [name for name, imported_file in files.items() if imported_file.error] == [file]
    assert "BRAVO" in MongoAdjustedPrices(store).codes()


def test_real_faults_are_survived_and_said(store: MongoStore, folder: Path) -> None:
    # given a NaN, a repeated time and a negative price
    path = folder / "adjusted_prices_csv" / "ALPHA.csv"
    break_line(path, 10, path.read_text().splitlines()[9].partition(",")[0] + ",NaN")
    break_line(path, 20, path.read_text().splitlines()[18].partition(",")[0] + ",5.0")
    break_line(path, 30, path.read_text().splitlines()[29].partition(",")[0] + ",-12.5")

    # when
    file = imported(store, folder)["adjusted_prices_csv/ALPHA.csv"]

    # then
    assert file.error is None
    assert file.remarks == ("1 repeated times (last kept)", "1 without PRICE", "1 negative")
    assert -12.5 in set(MongoAdjustedPrices(store).load("ALPHA"))


def test_a_folder_without_data_is_refused(store: MongoStore, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no pysystemtrade data"):
        imported(store, tmp_path)


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="the recorded data are not beside this checkout")
def test_the_recorded_data_go_in_whole(store: MongoStore) -> None:
    files = imported(store, SHARED)
    assert [file.error for file in files.values() if file.error] == []
    assert len(MongoMultiplePrices(store).codes()) == 16
    days = MongoSettings(store).playback().days
    assert (str(days[0]), str(days[-1])) == ("2021-11-03", "2021-11-30")
