"""Revisions of the configuration over a real store: numbers are won once, texts come back to the letter."""

from dataclasses import replace
from datetime import UTC, datetime
from threading import Barrier, Thread

import pytest

from trading.control.config_revision import ConfigRevision, Source, fingerprint
from trading.data.mongo.config_revisions import MongoConfigRevisions
from trading.data.mongo.connection import MongoStore
from trading.errors import ConcurrentUpdate, NotFound

FILES = {"processes.yaml": "processes:\n  # ä comment\n", "tradingd.yaml": "mode: paper\n",
         "strategies/mine_2-b.yaml": "weight: 2\n"}


def a_revision(parent: int | None = None, **changes: object) -> ConfigRevision:
    revision = ConfigRevision(
        generation=0, sha256=fingerprint(FILES), files=FILES, author="ana", reason="later reports", source=Source.CLI,
        at=datetime(2026, 3, 2, 20, 0, tzinfo=UTC), parent=parent, changes=("run_systems: changed",))
    return replace(revision, **changes)  # type: ignore[arg-type]


def test_before_the_first_there_is_none(store: MongoStore) -> None:
    assert MongoConfigRevisions(store).newest() is None
    with pytest.raises(NotFound, match=r"no generation 7 of the configuration. See: tradectl schedule history"):
        MongoConfigRevisions(store).get(7)


def test_a_revision_comes_back_as_it_was_written(store: MongoStore) -> None:
    revisions = MongoConfigRevisions(store)
    written = revisions.insert(a_revision())
    assert written == a_revision(generation=1)
    assert revisions.newest() == revisions.get(1) == written


def test_the_history_begins_with_the_newest(store: MongoStore) -> None:
    revisions = MongoConfigRevisions(store)
    for parent in (None, 1, 2):
        revisions.insert(a_revision(parent))
    assert [revision.generation for revision in revisions.history(2)] == [3, 2]


def test_two_daemons_cannot_make_the_same_generation(store: MongoStore) -> None:
    revisions = MongoConfigRevisions(store)
    revisions.insert(a_revision())
    with pytest.raises(ConcurrentUpdate):
        revisions.insert(a_revision(author="ben"))
    assert revisions.get(1).author == "ana"


def test_an_insert_that_meets_itself_has_succeeded(store: MongoStore) -> None:
    # given an insert whose answer was lost
    revisions = MongoConfigRevisions(store)
    revisions.insert(a_revision(), nonce="mine")

    # then the same insert again is the same success
    assert revisions.insert(a_revision(), nonce="mine").generation == 1
    assert len(revisions.history(10)) == 1


def test_of_many_at_once_exactly_one_wins(store: MongoStore) -> None:
    revisions, start, outcomes = MongoConfigRevisions(store), Barrier(6), []

    def contend(author: str) -> None:
        start.wait()
        try:
            outcomes.append(revisions.insert(a_revision(author=author)).author)
        except ConcurrentUpdate:
            outcomes.append("")

    threads = [Thread(target=contend, args=(f"author {i}",)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winners = [author for author in outcomes if author]
    assert len(outcomes) == 6
    assert winners == [revisions.get(1).author]


def test_the_fingerprint_depends_on_names_and_texts_alone() -> None:
    assert fingerprint({"a": "1", "b": "2"}) == fingerprint({"b": "2", "a": "1"})
    assert fingerprint({"a": "12", "b": ""}) != fingerprint({"a": "1", "b": "2"})
    assert fingerprint({"a": "1"}) != fingerprint({"b": "1"})
