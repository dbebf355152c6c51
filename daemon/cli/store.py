"""The store for a reading command: the running daemon's, the configured one, or the embedded one for the call."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from daemon.children.die_with_parent import dying_with_us
from daemon.cli.__main__ import Settings
from daemon.places import Places
from daemon.store.embedded_store import end_server, free_port, server_command
from daemon.store.state_lock import StateInUse, locked_within
from trading.config import Config, load_config
from trading.data.mongo.connection import MongoStore, connect
from trading.data.mongo.schema import set_up_schema
from trading.errors import StoreError, TradingError
from trading.unix_socket import DaemonUnreachable, request

_WAITS_S: Final = 10.0  # for another command over the same store


class StillBusy(TradingError):
    """A daemon has the state directory, but cannot be asked."""

    def __init__(self, holder: str, places: Places) -> None:
        super().__init__(f"tradingd (process {holder}) is starting or stopping and does not answer yet. Try again in a "
                         f"moment; what it waits for is in its log, {places.service_log}, or in the journal.")


@contextmanager
def opened_store(settings: Settings, timeout_s: float | None = None) -> Iterator[tuple[MongoStore, Config]]:
    """The store and the configuration; what was started for the call is stopped after it.

    Args:
        timeout_s: how long one statement may take; None: as configured.
    """
    config = load_config(settings.config_folder)
    mongo = config.service.mongo
    patience_s = mongo.timeout_s if timeout_s is None else timeout_s
    uri = mongo.uri or _daemons_uri(settings)
    if uri is not None:
        store = connect(uri, mongo.database, patience_s)
        try:
            yield store, config
        finally:
            store.close()
        return
    with _embedded(settings, config, patience_s) as store:
        yield store, config


def now_of(settings: Settings, store: MongoStore) -> datetime:
    """What time it is for the service, which may play a recorded day; the machine's time while it does not run."""
    try:
        clock = request(settings.places.socket, "GET", "/status", timeout_s=5).get("clock")
    except DaemonUnreachable:
        clock = None
    return datetime.fromisoformat(clock) if clock else store.clock.now()


def _daemons_uri(settings: Settings) -> str | None:
    try:
        return str(request(settings.places.socket, "GET", "/status", timeout_s=5)["store"]["uri"])
    except DaemonUnreachable:
        return None


@contextmanager
def _embedded(settings: Settings, config: Config, timeout_s: float) -> Iterator[MongoStore]:
    places, mongo = settings.places, config.service.mongo
    try:
        lock = locked_within(_WAITS_S, places.lock, places.state, command=True)
    except StateInUse as error:
        if error.is_brief:
            raise
        raise StillBusy(error.holder, places) from error
    port = free_port()
    places.logs.mkdir(parents=True, exist_ok=True)
    with (places.logs / "store.log").open("ab") as output:
        process = subprocess.Popen(dying_with_us(server_command(port, places.store)), stdin=subprocess.DEVNULL,
                                   stdout=output, stderr=output, start_new_session=True)
    try:
        store = _connect_when_up(f"mongodb://127.0.0.1:{port}/", mongo.database, timeout_s, process)
        set_up_schema(store)
        yield store
        store.close()
    finally:
        end_server(process)
        lock.release()


def _connect_when_up(uri: str, database: str, timeout_s: float, process: "subprocess.Popen[bytes]") -> MongoStore:
    deadline_s = time.monotonic() + 30
    while True:
        try:
            connect(uri, database, min(timeout_s, 1.0)).close()
            return connect(uri, database, timeout_s)
        except StoreError:
            if process.poll() is not None or time.monotonic() > deadline_s:
                raise
            time.sleep(0.05)
