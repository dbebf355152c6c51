"""What a daemon that starts knows of what the broker has said, over a real store."""

import asyncio
from datetime import UTC, datetime

import pytest

from daemon.store import journal_writer
from daemon.store.async_store import AsyncStore
from daemon.store.journal_writer import JournalWriter
from trading.clock import SystemClock
from trading.data.mongo.broker_journal import MongoBrokerJournal
from trading.data.mongo.connection import MongoStore
from trading.execution.broker_messages import BrokerMessage, MessageKind

FEW = 3
EXECUTION = {"execution_id": "0000e0d5.6553.01.01", "quantity": 1}


def message(sequence: int, kind: MessageKind, **facts: object) -> BrokerMessage:
    return BrokerMessage(sequence=sequence, at=datetime(2026, 1, 5, tzinfo=UTC), epoch="e", kind=kind, facts=facts)


def test_an_execution_is_stored_once_however_much_else_was_said_before_the_start(
        store: MongoStore, monkeypatch: pytest.MonkeyPatch) -> None:
    # given an execution behind which more was said than is remembered
    monkeypatch.setattr(journal_writer, "REMEMBERED", FEW)
    journal = MongoBrokerJournal(store)
    journal.append([message(1, MessageKind.EXECUTION, **EXECUTION)] + [
        message(2 + each, MessageKind.ORDER_STATUS, perm_id=each, status="Submitted") for each in range(2 * FEW)])

    # when a daemon starts, and the broker repeats the execution and tells of another one
    async def hear() -> None:
        writer = JournalWriter(store=AsyncStore(store), clock=SystemClock())
        await writer.start()
        writer.note(MessageKind.EXECUTION, EXECUTION)
        writer.note(MessageKind.EXECUTION, EXECUTION | {"execution_id": "0000e0d5.6554.01.01"})
        await writer.stop()
    asyncio.run(hear())

    # then the other one alone is new
    assert [each.facts["execution_id"] for each in journal.newest(MessageKind.EXECUTION, 10)] == [
        "0000e0d5.6553.01.01", "0000e0d5.6554.01.01"]
