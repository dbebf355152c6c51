"""The desk itself: shown, then done once, told with who and why; what is wrong is refused and nothing is changed."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from trading_desk_scene import GOLD, SP, Scene

from trading.data.mongo.connection import MongoStore
from trading.data.mongo.events import MongoEvents
from trading.data.trading_desk.asked import deed_of
from trading.data.trading_desk.cancel import CancelOrder
from trading.data.trading_desk.deed import Deed, DeedRefused
from trading.data.trading_desk.deed_log import DeedLog
from trading.data.trading_desk.deeds import DEEDS
from trading.data.trading_desk.flatten import Flatten
from trading.data.trading_desk.kill import LowerKill, RaiseKill
from trading.data.trading_desk.limits import ClearLimit, SetLimit
from trading.data.trading_desk.locks import LockInstrument, OpenLocks
from trading.data.trading_desk.manual_fill import ManualFill
from trading.data.trading_desk.manual_trade import ManualTrade
from trading.data.trading_desk.overrides import ClearOverride, SetOverride
from trading.data.trading_desk.positions import Assign, Balance, Opening, Transfer
from trading.data.trading_desk.rolls import SetRollState
from trading.errors import ConfigError, NotFound, TradingError


@pytest.fixture
def scene(store: MongoStore) -> Scene:
    return Scene(store)


def everything(store: MongoStore) -> dict[str, list[Any]]:
    """All that is stored."""
    return {name: list(store.database[name].find().sort("_id", 1)) for name in store.database.list_collection_names()}


GOOD: list[Deed] = [
    RaiseKill(), RaiseKill(instrument="SP500", cancel_working=True), SetOverride(override="close", instrument="SP500"),
    SetLimit(kind="position", instrument="SP500", lots=10), LockInstrument(instrument="SP500"),
    Transfer(instrument="SP500", giver="s", taker="t", lots=2), Balance(contract=SP, strategy="s", lots=-1,
                                                                        price=Decimal("5000.25")),
    Opening(contract=GOLD, strategy="t", lots=1), ManualTrade(instrument="SP500", lots=2, strategy="s"),
    ManualFill(order="1-C1-B1", lots=2, price=Decimal("5000")), CancelOrder(order="1-C1-B1"),
    SetRollState(instrument="GOLD", state="PASSIVE", front=GOLD)]


@pytest.mark.parametrize("deed", GOOD, ids=[deed.verb for deed in GOOD])
def test_a_deed_is_shown_without_a_change_then_done_once_and_told(scene: Scene, deed: Deed) -> None:
    # given a position and an order at the broker
    scene.holds(5)
    scene.at_the_broker()
    before = everything(scene.store)

    # when it is looked at, nothing changes; when it comes twice under one id, it is done once
    shown = scene.look(deed)
    assert everything(scene.store) == before
    first = scene.do(deed, id="one")
    after = everything(scene.store)
    again = scene.do(deed, id="one")

    # then what was shown is what was done, and the event says who and why
    assert everything(scene.store) == after != before
    assert (again.is_repeated, again.done, again.after) == (True, first.done, first.after)
    if deed.verb != "halt":  # it says since when
        assert (shown.before, shown.after) == (first.before, first.after)
    told, = MongoEvents(scene.store).of("deed one")
    assert (told.actor, told.kind, told.payload["why"], told.payload["before"]) == (
        "ann", deed.verb, "because", first.before)
    assert list(MongoEvents(scene.store).breaks_in_chain()) == []
    assert scene.books.positions() == scene.books.rebuilt()
    assert scene.books.positions().uneven() == {}


WRONG: list[tuple[Deed, type[TradingError], str]] = [
    (RaiseKill(level="off"), ConfigError, "There is no level off here (allowed: no-new-risk, halt, sever)."),
    (RaiseKill(level="halt", instrument="SP500"), ConfigError, "A level holds for the whole system"),
    (RaiseKill(cancel_working=True), ConfigError, "is asked for a pause only"),
    (RaiseKill(instrument="NOPE"), NotFound, "There is no instrument NOPE."),
    (RaiseKill(strategy="nobody"), NotFound, "There is no strategy nobody (known: _EXTERNAL, s, t)."),
    (LowerKill(level="halt"), DeedRefused, "The system is at K0_NORMAL, below K3_HALT; this only lowers."),
    (LowerKill(instrument="SP500"), NotFound, "instrument SP500 is not paused (paused: nothing)."),
    (Flatten(code="ABC"), ConfigError, "ABC is not the code of now. Look first: tradectl flatten; then confirm within "
                                       "10 minutes with the code that it shows."),
    (SetOverride(override="maybe", instrument="SP500"), ConfigError, "'maybe' is no override."),
    (SetOverride(override="1.0", instrument="SP500"), ConfigError, "That changes nothing."),
    (SetOverride(override="nan", instrument="SP500"), ConfigError, "'nan' is no override."),
    (SetOverride(override="close"), ConfigError, "Name a strategy, an instrument, or both"),
    (SetOverride(override="close", strategy="nobody"), NotFound, "There is no strategy nobody"),
    (ClearOverride(instrument="SP500"), NotFound, "There is no override of SP500 of every strategy."),
    (ClearOverride(everything=True), NotFound, "There is no override. See: tradectl overrides"),
    (SetLimit(kind="size", instrument="SP500", lots=1), ConfigError, "'size' is no kind of limit (allowed: position, "
                                                                     "trade, order)."),
    (SetLimit(kind="position", instrument="SP500", lots=-1), ConfigError, "A position limit of -1 lots is not"),
    (SetLimit(kind="trade", instrument="SP500", lots=3), ConfigError, "counts over 1 to 366 days, not 0"),
    (SetLimit(kind="position", instrument="SP500", lots=3, days=2), ConfigError, "counts over days only for trades"),
    (SetLimit(kind="position", instrument="NOPE", lots=3), NotFound, "There is no instrument NOPE."),
    (ClearLimit(kind="position", instrument="SP500"), NotFound, "There is no position limit of SP500."),
    (LockInstrument(instrument="NOPE"), NotFound, "There is no instrument NOPE."),
    (OpenLocks(instrument="SP500"), NotFound, "SP500 has no lock."),
    (OpenLocks(instrument="SP500", cause="bored"), ConfigError, "'bored' is no cause of a lock"),
    (OpenLocks(), ConfigError, "Name an instrument, or say that all locks are meant"),
    (Assign(instrument="SP500", strategy="t"), DeedRefused, "Nothing of SP500 is unassigned."),
    (Transfer(instrument="SP500", giver="s", taker="t", lots=6), DeedRefused, "s holds +5 SP500 and cannot give 6."),
    (Transfer(instrument="SP500", giver="s", taker="t", lots=0), ConfigError, "say how many, from 1"),
    (Transfer(instrument="SP500", giver="s", taker="t", lots=-2), ConfigError, "say how many, from 1"),
    (Transfer(instrument="SP500", giver="s", taker="s", lots=1), ConfigError, "s cannot give to itself."),
    (Transfer(instrument="SP500", giver="s", taker="nobody", lots=1), NotFound, "There is no strategy nobody"),
    (Balance(contract="SP500/20261200", strategy="s", lots=1, price=Decimal(1)), NotFound, "has not described"),
    (Balance(contract="SP500", strategy="s", lots=1, price=Decimal(1)), ConfigError, "'SP500' is no contract"),
    (Balance(contract=SP, strategy="s", lots=0, price=Decimal(1)), ConfigError, "a change by no lots"),
    (Balance(contract=SP, strategy="s", lots=1, price=Decimal("1.1")), ConfigError,
     "1.1 is no price of SP500/20260600: its tick is 0.25, so 1.00 or 1.25."),
    (Balance(contract=SP, strategy="s", lots=1, price=Decimal("-1.1")), ConfigError, "so -1.25 or -1.00."),
    (Opening(contract=SP, strategy="s", lots=1), DeedRefused, "s has an opening of SP500/20260600 already."),
    (ManualTrade(instrument="SP500", lots=0, strategy="s"), ConfigError, "an order of no lots is none"),
    (ManualTrade(instrument="NOPE", lots=1, strategy="s"), NotFound, "There is no instrument NOPE."),
    (ManualTrade(instrument="SP500", lots=1, strategy="x"), NotFound, "There is no strategy x (known: s, t)."),
    (ManualTrade(instrument="SP500", lots=1, strategy="s", limit=Decimal(1)), ConfigError, "A price belongs to a"),
    (ManualTrade(instrument="SP500", lots=1, strategy="s", contract=GOLD), ConfigError, "is no contract of SP500"),
    (ManualTrade(instrument="SP500", lots=1, strategy="s", contract=SP, limit=Decimal("0.3")), ConfigError,
     "0.3 is no price of"),
    (ManualTrade(instrument="SP500", lots=1, strategy="s", style="wild"), ConfigError, "There is no style wild"),
    (ManualTrade(instrument="SP500", lots=1, strategy="s", style="limit"), ConfigError, "belong together"),
    (ManualTrade(instrument="SP500", lots=1, strategy="s", reduce_only=True), DeedRefused,
     "+1 would not only reduce: s holds +5 SP500, of which 5 may still be closed (-5)."),
    (ManualFill(order="1-C1-B1", lots=6, price=Decimal(1)), DeedRefused,
     "1-C1-B1 is for +5, +0 are filled: at most 5 can still be, not 6. Nothing was booked."),
    (ManualFill(order="1-C1-B1", lots=-1, price=Decimal(1)), ConfigError, "say how many, from 1"),
    (ManualFill(order="1-C1-B1", lots=1, price=Decimal("0.3")), ConfigError, "0.3 is no price of"),
    (ManualFill(order="nope", lots=1, price=Decimal(1)), NotFound, "There is no broker order nope."),
    (CancelOrder(order="IO-9"), NotFound, "There is no instrument order IO-9."),
    (SetRollState(instrument="SP500", state="LATER", front=SP), ConfigError, "'LATER' is no roll state"),
    (SetRollState(instrument="SP500", state="CLOSE", front=GOLD), ConfigError, "which is no contract of SP500"),
    (SetRollState(instrument="SP500", state="ROLL_ADJUSTED", front=SP), DeedRefused,
     "SP500 is NO_ROLL with +5 lots in front and cannot become ROLL_ADJUSTED: these two do not follow each other"),
    (SetRollState(instrument="SP500", state="CLOSE", front=SP), DeedRefused,
     "SP500 may become CLOSE, but only when its orders have ended: 1 may still fill. Cancel them first: tradectl trade "
     "cancel-all SP500; then set it again. Nothing was changed."),
]


def test_what_is_wrong_is_refused_in_a_sentence_and_changes_nothing(scene: Scene) -> None:
    scene.holds(5)
    scene.at_the_broker()
    before = everything(scene.store)
    for deed, kind, words in WRONG:
        with pytest.raises(kind) as caught:
            scene.do(deed)
        assert words in str(caught.value), deed
        assert type(caught.value) is kind, deed
    assert everything(scene.store) == before


@pytest.mark.parametrize("verb", DEEDS)
def test_every_deed_demands_a_reason_a_person_and_an_id(scene: Scene, verb: str) -> None:
    deed = next((each for each in GOOD if each.verb == verb), CancelOrder(order="IO-1"))
    for missing in ({"why": "  "}, {"who": ""}, {"id": ""}, {"id": "x" * 101},
                    {"at": scene.now.replace(tzinfo=None)}):
        with pytest.raises(ConfigError, match=r"Nothing was changed\.$"):
            scene.do(deed, **missing)
    with pytest.raises(ConfigError, match=r'^A reason is missing: add --reason "why"\. Nothing was changed\.$'):
        scene.do(deed, why="")


def test_an_id_is_not_used_for_two_deeds(scene: Scene) -> None:
    scene.do(LockInstrument(instrument="SP500"), id="one")
    with pytest.raises(ConfigError, match=r"^The id one was used for lock by ann; a deed needs an id of its own\."):
        scene.do(LockInstrument(instrument="GOLD"), id="one")


@pytest.mark.parametrize(("verb", "values", "words"), [
    ("trade", {"instrument": "SP500", "lots": 2.5, "strategy": "s"}, "lots is 2.5; it must be a whole number"),
    ("trade", {"instrument": "SP500", "lots": 2.0, "strategy": "s"}, "lots is 2.0; it must be a whole number"),
    ("trade", {"instrument": "SP500", "lots": "nan", "strategy": "s"}, "lots is 'nan'; it must be"),
    ("trade", {"instrument": "SP500", "lots": float("nan"), "strategy": "s"}, "lots is nan; it must be"),
    ("trade", {"instrument": "SP500", "lots": "--2", "strategy": "s"}, "lots is '--2'; it must be"),
    ("trade", {"instrument": "SP500", "lots": "٢", "strategy": "s"}, "it must be a whole number"),
    ("trade", {"instrument": "SP500", "lots": True, "strategy": "s"}, "lots is True; it must be"),
    ("trade", {"instrument": "SP500", "lots": None, "strategy": "s"}, "lots is None; it must be"),
    ("trade", {"instrument": "SP500", "lots": 10 ** 30, "strategy": "s"}, "is a slip of the keyboard"),
    ("trade", {"instrument": ["SP500"], "lots": 2, "strategy": "s"}, "instrument is \"['SP500']\"; it must be a text"),
    ("trade", {"instrument": "SP500", "strategy": "s"}, "trade needs lots; it takes instrument, lots, strategy"),
    ("trade", {"instrument": "SP500", "lots": 1, "strategy": "s", "lot": 2}, "trade knows no lot; it takes"),
    ("trade", {"instrument": "SP500", "lots": 1, "strategy": "s", "reduce_only": "yes"}, "must be true or false"),
    ("fill", {"order": "o", "lots": 1, "price": "NaN"}, "price is 'NaN'; it must be a price, as in 5012.25."),
    ("fill", {"order": "o", "lots": 1, "price": "-Infinity"}, "it must be a price"),
    ("fill", {"order": "o", "lots": 1, "price": 1e300}, "it must be a price"),
    ("fill", {"order": "o", "lots": 1, "price": True}, "it must be a price"),
    ("fill", {"order": "o", "lots": 1, "price": "much"}, "it must be a price"),
    ("flatten", {"risks": {"SP500": float("inf")}}, "risks must be positive numbers by name"),
])
def test_what_comes_from_outside_is_read_strictly(verb: str, values: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        deed_of(DEEDS[verb], values)
    assert words in str(caught.value)


def test_digits_and_numbers_are_read_alike() -> None:
    asked = {"order": "o", "lots": "+2", "price": 5012.25}
    assert deed_of(ManualFill, asked) == ManualFill(order="o", lots=2, price=Decimal("5012.25"))
    assert deed_of(Opening, {"contract": SP, "strategy": "s", "lots": "-3", "price": None}) == Opening(
        contract=SP, strategy="s", lots=-3)


def test_a_deed_brought_by_eight_at_once_is_done_once(scene: Scene) -> None:
    scene.holds(5)
    deed, signed = Transfer(instrument="SP500", giver="s", taker="t", lots=1), scene.signed(id="one")
    with ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(lambda _: scene.desk.do(deed, signed), range(8)))
    assert sorted(each.is_repeated for each in outcomes) == [False] + [True] * 7
    assert scene.books.strategy_positions() == {("s", "SP500"): 4, ("t", "SP500"): 1}


def test_eight_who_give_away_the_same_lots_never_give_more_than_there_are(scene: Scene) -> None:
    scene.holds(5)

    def give(number: int) -> bool:
        try:
            scene.desk.do(Transfer(instrument="SP500", giver="s", taker="t", lots=2), scene.signed(id=f"g{number}"))
        except DeedRefused:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(give, range(8))) == 2
    assert scene.books.strategy_positions() == {("s", "SP500"): 1, ("t", "SP500"): 4}


def test_the_log_of_deeds_tells_the_newest_first(scene: Scene) -> None:
    scene.do(LockInstrument(instrument="SP500"), why="a look")
    scene.do(LockInstrument(instrument="GOLD"), who="bob")
    assert [(each.deed, each.who, each.why) for each in DeedLog(scene.store).newest(5)] == [
        ("lock", "bob", "because"), ("lock", "ann", "a look")]
