"""How the gateway writes when an order filled: at each version, in each style that it can be set to (case C30)."""

from pathlib import Path

import pytest
from simulated_messages import a_contract, historical, place_order
from simulated_stage import Stage

from trading.broker.simulated.hours import TimeStyle

TIME_AT = 15  # of execDetails
ZONED, BARE, UTC = "20211013 13:00:00 Europe/London", "20211013  13:00:00", "20211013-12:00:00"
EXPECTED = [(TimeStyle.BY_VERSION, 157, BARE), (TimeStyle.BY_VERSION, 173, BARE), (TimeStyle.BY_VERSION, 174, ZONED),
            (TimeStyle.ZONE, 157, ZONED), (TimeStyle.ZONE, 178, ZONED), (TimeStyle.NO_ZONE, 178, BARE),
            (TimeStyle.UTC_DASH, 157, UTC), (TimeStyle.UTC_DASH, 178, UTC),
            (TimeStyle.UNKNOWN_ZONE, 178, "20211013 13:00:00 Atlantis")]


@pytest.mark.parametrize(("style", "version", "expected"), EXPECTED)
def test_c30_a_fill_says_when_in_the_style_of_the_gateway(tmp_path: Path, style: TimeStyle, version: int,
                                                          expected: str) -> None:
    stage = Stage(tmp_path, options={"execution_times": style})
    client = stage.a_client(version=version)
    told = stage.ask(client, place_order(1, version=version))
    asked_again = stage.ask(client, ["7", "3", "5", "0", "", "", "", "", "", ""])
    assert [message[TIME_AT] for message in told + asked_again if message[0] == "11"] == [expected, expected]


def test_the_stretch_of_a_history_is_written_in_the_same_style(tmp_path: Path) -> None:
    stage = Stage(tmp_path, options={"execution_times": TimeStyle.UTC_DASH})
    answer, = stage.ask(stage.a_client(), historical(5, a_contract(), duration="1 D", size="1 hour"))
    assert answer[3] == UTC
