"""The alerts over a real store: restarts, two daemons, a store that is away, channels that break."""

import asyncio
from datetime import timedelta

import pytest
from alert_fakes import FakeChannel, a_daemon
from moved_clock import START, MovedClock

from trading.control.alert import AlertKind, Reason, Severity
from trading.data.mongo.alerts import MongoAlerts
from trading.data.mongo.connection import MongoStore
from trading.errors import NotFound

HOUR = timedelta(hours=1)


def test_what_is_told_is_sent_once_and_remembered(store: MongoStore) -> None:
    async def story() -> None:
        async with a_daemon(store, MovedClock()) as daemon:
            daemon.alerts.tell(AlertKind.LOST, "run_systems", "Its worker vanished.")
            daemon.alerts.tell(AlertKind.LOST, "run_systems", "Its worker vanished.")
            await daemon.settled()
            assert daemon.channel.reasons == ["new LOST:run_systems"]

    asyncio.run(story())
    stored = MongoAlerts(store).load("LOST:run_systems")
    assert stored is not None
    assert (stored.open, stored.count, stored.outbox) == (True, 2, ())


def test_the_end_of_what_never_was_is_not_told(store: MongoStore) -> None:
    async def story() -> None:
        async with a_daemon(store, MovedClock()) as daemon:
            daemon.alerts.over(AlertKind.LOST, "run_systems")
            await daemon.settled()
            assert daemon.channel.sent == []

    asyncio.run(story())
    assert MongoAlerts(store).recent(10) == []


def test_after_a_restart_an_open_alert_is_not_told_again(store: MongoStore) -> None:
    async def story() -> None:
        clock = MovedClock()
        async with a_daemon(store, clock) as daemon:
            daemon.alerts.tell(AlertKind.FAILED, "run_systems", "It failed.")
            await daemon.settled()
        clock.instant += HOUR
        async with a_daemon(store, clock) as restarted:
            restarted.alerts.tell(AlertKind.FAILED, "run_systems", "It failed.")
            await restarted.settled()
            assert restarted.channel.sent == []
            restarted.alerts.over(AlertKind.FAILED, "run_systems")
            await restarted.settled()
            assert restarted.channel.reasons == ["recovered FAILED:run_systems"]

    asyncio.run(story())


def test_a_message_that_a_dead_daemon_did_not_deliver_is_sent_by_the_next(store: MongoStore) -> None:
    async def story() -> None:
        clock = MovedClock()
        async with a_daemon(store, clock, channel=FakeChannel(broken="it is down")) as daemon:
            daemon.alerts.tell(AlertKind.FAILED, "run_systems", "It failed.")
            assert not await daemon.alerts.flushed(0.3)
        clock.instant += timedelta(minutes=3)
        async with a_daemon(store, clock) as restarted:
            await restarted.alerts.look()
            await restarted.settled()
            assert restarted.channel.reasons == ["new FAILED:run_systems"]
            await restarted.alerts.look()
            await restarted.settled()
            assert len(restarted.channel.sent) == 1

    asyncio.run(story())


def test_two_daemons_on_one_store_repeat_once(store: MongoStore) -> None:
    async def story() -> None:
        clock = MovedClock()
        async with a_daemon(store, clock) as leader, a_daemon(store, clock) as standby:
            leader.alerts.tell(AlertKind.FAILED, "run_systems", "It failed.")
            await leader.settled()
            await standby.alerts.look()
            clock.instant += 4 * HOUR
            await asyncio.gather(leader.alerts.look(), standby.alerts.look())
            await leader.settled()
            await standby.settled()
            assert sorted(leader.channel.reasons + standby.channel.reasons) == [
                "new FAILED:run_systems", "repeated FAILED:run_systems"]

    asyncio.run(story())


def test_many_who_change_one_alert_lose_nothing(store: MongoStore) -> None:
    async def story() -> None:
        clock = MovedClock()
        async with a_daemon(store, clock) as one, a_daemon(store, clock) as other:
            for _ in range(10):
                one.alerts.tell(AlertKind.FAILED, "run_systems", "It failed.")
                other.alerts.tell(AlertKind.FAILED, "run_systems", "It failed.")
            await one.settled()
            await other.settled()
            await one.alerts.look()
            await other.alerts.look()
            assert len(one.channel.sent + other.channel.sent) == 1

    asyncio.run(story())
    stored = MongoAlerts(store).load("FAILED:run_systems")
    assert stored is not None
    assert (stored.count, stored.outbox) == (20, ())


def test_people_hear_of_a_lost_store_at_once(store: MongoStore) -> None:
    async def story() -> None:
        async with a_daemon(store, MovedClock(), away=True) as daemon:
            daemon.alerts.tell(AlertKind.STORE_LOST, "store", "MongoDB does not answer.")
            daemon.alerts.tell(AlertKind.LATE, "run_systems", "It waits for the store.")
            await daemon.settled()
            assert daemon.channel.reasons == ["new STORE_LOST:store", "new LATE:run_systems"]
            assert [state.key for state in await daemon.alerts.open_alerts()] == [
                "STORE_LOST:store", "LATE:run_systems"]

    asyncio.run(story())


def test_a_store_that_is_away_is_not_asked_for_every_alert(store: MongoStore) -> None:
    async def story() -> None:
        async with a_daemon(store, MovedClock(), away=True) as daemon:
            for number in range(50):
                daemon.alerts.tell(AlertKind.FAILED, f"process_{number}", "It failed.")
            await daemon.settled()
            assert len(daemon.channel.sent) == 50
            assert daemon.store.asked <= 3

    asyncio.run(story())


def test_what_happened_without_the_store_is_written_when_it_answers_again(store: MongoStore) -> None:
    async def story() -> None:
        clock = MovedClock()
        async with a_daemon(store, clock, away=True) as daemon:
            daemon.alerts.tell(AlertKind.STORE_LOST, "store", "MongoDB does not answer.")
            await daemon.settled()
            daemon.store.away, clock.instant = False, START + HOUR
            daemon.alerts.over(AlertKind.STORE_LOST, "store")
            await daemon.settled()
            await daemon.alerts.look()
            await daemon.settled()
            assert [message.reason for message in daemon.channel.sent if message.key == "STORE_LOST:store"] == [
                Reason.NEW, Reason.RECOVERED]

    asyncio.run(story())
    stored = MongoAlerts(store).load("STORE_LOST:store")
    assert stored is not None
    assert (stored.open, stored.count, stored.outbox) == (False, 1, ())


def test_an_acknowledgement_that_the_store_got_meanwhile_is_kept(store: MongoStore) -> None:
    async def story() -> None:
        clock = MovedClock()
        async with a_daemon(store, clock) as cut_off, a_daemon(store, clock) as other:
            cut_off.alerts.tell(AlertKind.FAILED, "run_systems", "It failed.")
            await cut_off.settled()
            cut_off.store.away = True
            await other.alerts.acknowledge("FAILED:run_systems", "ann", "looking")
            clock.instant += timedelta(minutes=1)
            cut_off.alerts.tell(AlertKind.FAILED, "run_systems", "It failed.")
            await cut_off.settled()
            cut_off.store.away = False
            await cut_off.alerts.look()
            assert [state.acknowledged_by for state in await cut_off.alerts.open_alerts()] == ["ann"]

    asyncio.run(story())


def test_a_broken_channel_stops_no_other_one(store: MongoStore) -> None:
    async def story() -> None:
        other = FakeChannel(name="other")
        async with a_daemon(store, MovedClock(), channel=FakeChannel(broken="it is down"), others=[other]) as daemon:
            daemon.alerts.tell(AlertKind.FAILED, "run_systems", "It failed.")
            daemon.alerts.tell(AlertKind.FAILED, "run_reports", "It failed.")
            assert not await daemon.alerts.flushed(0.3)
            assert other.reasons == ["new FAILED:run_systems", "new FAILED:run_reports"]
            assert daemon.alerts.delivery_problems == {"fake": "it is down"}

    asyncio.run(story())


def test_a_channel_that_works_again_delivers_all_in_their_order(store: MongoStore) -> None:
    async def story() -> None:
        async with a_daemon(store, MovedClock(), channel=FakeChannel(broken="it is down")) as daemon:
            daemon.alerts.tell(AlertKind.FAILED, "run_systems", "It failed.")
            daemon.alerts.tell(AlertKind.FAILED, "run_reports", "It failed.")
            assert not await daemon.alerts.flushed(0.2)
            daemon.channel.broken = None
            await daemon.settled()
            assert daemon.channel.reasons == ["new FAILED:run_systems", "new FAILED:run_reports"]
            assert daemon.alerts.delivery_problems == {}

    asyncio.run(story())


def test_a_message_that_is_refused_for_good_is_not_tried_again(store: MongoStore) -> None:
    async def story() -> None:
        clock = MovedClock()
        channel = FakeChannel(broken="unknown recipient", final=True)
        async with a_daemon(store, clock, channel=channel) as daemon:
            daemon.alerts.tell(AlertKind.FAILED, "run_systems", "It failed.")
            await daemon.settled()
            clock.instant += timedelta(minutes=3)
            await daemon.alerts.look()
            await daemon.settled()
            assert channel.tries == 1
            assert daemon.alerts.delivery_problems == {"fake": "unknown recipient"}

    asyncio.run(story())


def test_a_message_that_nobody_takes_for_a_day_is_given_up(store: MongoStore) -> None:
    async def story() -> None:
        clock = MovedClock()
        async with a_daemon(store, clock, channel=FakeChannel(broken="it is down")) as daemon:
            daemon.alerts.tell(AlertKind.FAILED, "run_systems", "It failed.")
            assert not await daemon.alerts.flushed(0.2)
            clock.instant += 25 * HOUR
            await daemon.settled()

    asyncio.run(story())


def test_a_critical_alert_is_escalated_until_somebody_acknowledges_it(store: MongoStore) -> None:
    async def story() -> None:
        clock = MovedClock()
        async with a_daemon(store, clock) as daemon:
            daemon.alerts.tell(AlertKind.LOST, "run_systems", "Its worker vanished.")
            await daemon.settled()
            clock.instant += timedelta(minutes=15)
            await daemon.alerts.look()
            acknowledged = await daemon.alerts.acknowledge("run_systems", "ann", "looking")
            clock.instant += timedelta(minutes=15)
            await daemon.alerts.look()
            await daemon.settled()
            assert daemon.escalation.reasons == ["escalated LOST:run_systems"]
            assert [(state.key, state.acknowledged_by) for state in acknowledged] == [("LOST:run_systems", "ann")]

    asyncio.run(story())


def test_a_process_name_acknowledges_all_its_alerts(store: MongoStore) -> None:
    async def story() -> None:
        async with a_daemon(store, MovedClock()) as daemon:
            daemon.alerts.tell(AlertKind.FAILED, "run_systems", "It failed.")
            daemon.alerts.tell(AlertKind.LATE, "run_systems", "It is late.")
            daemon.alerts.tell(AlertKind.LATE, "run_reports", "It is late.")
            await daemon.settled()
            done = await daemon.alerts.acknowledge("run_systems", "ann", "looking")
            assert {state.key for state in done} == {"FAILED:run_systems", "LATE:run_systems"}

    asyncio.run(story())


def test_an_alert_that_nothing_ends_can_be_put_away(store: MongoStore) -> None:
    async def story() -> None:
        async with a_daemon(store, MovedClock()) as daemon:
            daemon.alerts.tell(AlertKind.FAILED, "run_systems", "It failed.")
            await daemon.settled()
            done = await daemon.alerts.put_away("run_systems", "ann", "it was removed")
            assert [(state.open, state.ack_reason) for state in done] == [(False, "it was removed")]
            assert await daemon.alerts.open_alerts() == []

    asyncio.run(story())


def test_an_unknown_name_is_refused_with_the_open_ones(store: MongoStore) -> None:
    async def story() -> None:
        async with a_daemon(store, MovedClock()) as daemon:
            daemon.alerts.tell(AlertKind.FAILED, "run_systems", "It failed.")
            await daemon.settled()
            with pytest.raises(NotFound) as caught:
                await daemon.alerts.acknowledge("run_system", "ann", "")
            assert str(caught.value) == ("No open alert is called run_system (open: FAILED:run_systems). "
                                         "See: tradectl alerts")

    asyncio.run(story())


def test_a_severity_can_be_given(store: MongoStore) -> None:
    async def story() -> None:
        async with a_daemon(store, MovedClock()) as daemon:
            daemon.alerts.tell(AlertKind.FAILED, "run_stack_handler", "It failed.", Severity.CRITICAL)
            await daemon.settled()
            assert daemon.alerts.open_by_severity[Severity.CRITICAL] == 1

    asyncio.run(story())
