"""What a position was computed from has a name that changes with it."""

from made_market import MadeSimData, a_system, wandering

from trading.systems.provenance import data_version, provenance_of


def test_the_same_data_and_settings_have_the_same_name() -> None:
    first, again = (a_system(MadeSimData({"A": wandering()})) for _ in range(2))
    assert provenance_of("run", first.config, first.data, "A") == provenance_of("run", again.config, again.data, "A")


def test_another_setting_another_name() -> None:
    data = MadeSimData({"A": wandering()})
    names = {provenance_of("run", a_system(data, buffer_size=size).config, data, "A").config for size in (0.1, 0.2)}
    assert len(names) == 2


def test_a_price_more_or_another_price_is_other_data() -> None:
    prices = wandering()
    changed = prices.copy()
    changed.iloc[50] += 0.01
    versions = {data_version(MadeSimData({"A": each}), "A") for each in (prices, prices.iloc[:-1], changed)}
    assert len(versions) == 3
