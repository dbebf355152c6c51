"""What the same answer looks like at each version that a client may agree on: exact field lists."""

import pytest
from simulated_messages import a_contract, historical
from simulated_stage import Stage

VERSIONS = (157, 176, 178, 200)
HOURS = ";".join(f"202110{day}:0000-202110{day}:2359" if day not in (16, 17) else f"202110{day}:CLOSED"
                 for day in range(13, 19))
AT_NOON_MS = "1634126400000"


def answers(stage: Stage, fields: list[str], version: int) -> list[tuple[str, ...]]:
    return stage.ask(stage.a_client(version=version), fields)


@pytest.mark.parametrize(("version", "expected"), [
    (157, ("4", "2", "5", "300", "Can't find EId with tickerId:5")),
    (165, ("4", "2", "5", "300", "Can't find EId with tickerId:5")),
    (166, ("4", "2", "5", "300", "Can't find EId with tickerId:5", "")),
    (193, ("4", "2", "5", "300", "Can't find EId with tickerId:5", "")),
    (194, ("4", "5", "300", "Can't find EId with tickerId:5", "", AT_NOON_MS)),
    (200, ("4", "5", "300", "Can't find EId with tickerId:5", "", AT_NOON_MS))])
def test_an_error(stage: Stage, version: int, expected: tuple[str, ...]) -> None:
    assert answers(stage, ["2", "2", "5"], version) == [expected]


@pytest.mark.parametrize(("version", "count"), [(157, 39), (163, 40), (164, 40), (176, 40), (178, 40), (181, 40),
                                                (182, 41), (185, 41), (186, 42), (200, 42)])
def test_contract_details(stage: Stage, version: int, count: int) -> None:
    asked = ["9", "8", "5", *a_contract(), "0", "", "", *([""] if version >= 176 else [])]
    row, _ = answers(stage, asked, version)
    con_id, rule = row[row.index("ESZ1") + 3], row[row.index("IND") + 1]
    old, sizes = version < 164, {163: ("1",)}.get(version, ("1", "1", "1") if version > 163 else ())
    assert len(row) == count
    assert row == (
        "10", *(("8",) if old else ()), "5", "ES", "FUT", "20211217", *(("20211217",) if version >= 182 else ()), "0",
        "", "CME", "USD", "ESZ1", "ES", "ES", con_id, "0.01", *(("1",) if old else ()), "50",
        "ACTIVETIM,DAY,GTC,LMT,MKT,WHATIF", "CME", "1", "0", "S&P 500 of tests", "", "202112", "", "", "",
        "Europe/London", HOURS, HOURS, "", "", "0", "2147483647", "ES", "IND", rule, "20211217", "", *sizes,
        *(("0",) if version >= 186 else ()))


@pytest.mark.parametrize("version", VERSIONS)
def test_bars(stage: Stage, version: int) -> None:
    asked = historical(5, a_contract(), size="1 hour", duration="1800 S")
    zone = " Europe/London" if version >= 174 else ""
    between = " " if version >= 174 else "  "
    start, end = (f"20211013{between}{time}{zone}" for time in ("12:30:00", "13:00:00"))
    bar = (f"20211013{between}13:00:00{zone}", "4350", "4350", "4350", "4350", "1", "4350", "1")
    if version >= 196:
        assert answers(stage, asked, version) == [("17", "5", "1", *bar), ("108", "5", start, end)]
    else:
        assert answers(stage, asked, version) == [("17", "5", start, end, "1", *bar)]


@pytest.mark.parametrize("version", VERSIONS)
def test_symbols(stage: Stage, version: int) -> None:
    answer, = answers(stage, ["81", "5", "GBL"], version)
    described = ("BUND", "") if version >= 176 else ()
    assert answer == ("79", "5", "1", answer[3], "GBL", "FUT", "EUREX", "EUR", "0", *described)


@pytest.mark.parametrize("version", VERSIONS)
def test_sizes_are_whole_numbers(stage: Stage, version: int) -> None:
    heard = answers(stage, ["1", "11", "5", *a_contract(), "0", "233", "0", "0", ""], version)
    sizes = [message[-2] for message in heard if message[0] == "1"] + [
        message[-1] for message in heard if message[0] == "2"]
    assert len(sizes) > 5
    assert all(size.isdecimal() for size in sizes)


def test_the_time_in_milliseconds(stage: Stage) -> None:
    assert answers(stage, ["105"], 200) == [("109", AT_NOON_MS)]


@pytest.mark.parametrize(("version", "fields"), [
    (157, ["4", "1", "7"]), (178, ["4", "1", "7", ""]), (200, ["4", "7", "", "", "2147483647"])])
def test_a_cancel_is_read_at_every_version(stage: Stage, version: int, fields: list[str]) -> None:
    answer, = answers(stage, fields, version)
    assert "OrderId 7 that needs to be cancelled is not found." in answer
