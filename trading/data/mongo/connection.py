"""Connect to MongoDB, or say in one sentence why not. Majority and journaled writes, always with a time limit."""

import os
import socket
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pymongo import MongoClient, ReadPreference, WriteConcern, timeout
from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.uri_parser import parse_uri

from trading.clock import FollowingClock, inherited_clock
from trading.errors import StoreError

Document = dict[str, Any]
Result = TypeVar("Result")


def this_process(name: str = "tradingd") -> str:
    """Who writes: what runs, where, as which process."""
    return f"{name}@{socket.gethostname()}[{os.getpid()}]"


class StandaloneRefused(StoreError):
    """The server is no replica set; the order protocol needs transactions."""

    def __init__(self, uri: str) -> None:
        super().__init__(f"MongoDB at {without_password(uri)} is a standalone server; tradingd needs a replica set "
                         f"(one node is enough), because an order and its fills are written in transactions. "
                         f"Start mongod with --replSet and run rs.initiate() once.")


@dataclass(frozen=True)
class MongoStore:
    """One database, and the two ways to write it: a statement, or a transaction."""

    client: MongoClient[Document]
    database: Database[Document]
    transaction_timeout_s: float = 10.0
    author: str = field(default_factory=this_process)  # who writes, for the log of all changes
    clock: FollowingClock = field(default_factory=lambda: FollowingClock(inherited_clock()))
    abandoned: deque[Any] = field(default_factory=deque)  # sessions whose transaction may still be open on the server

    def transact(self, steps: Callable[[ClientSession], Result]) -> Result:
        """Run `steps` as one transaction; it may run more than once, so it must only write through its session.

        The driver alone would repeat it for two minutes while the server is away; a thread is not kept for so long.
        """
        self._end_abandoned()
        with self.client.start_session() as session:
            try:
                with timeout(self.transaction_timeout_s):
                    return session.with_transaction(steps, read_concern=ReadConcern("snapshot"),
                                                    write_concern=WriteConcern("majority", j=True),
                                                    read_preference=ReadPreference.PRIMARY)
            except PyMongoError as error:
                if error.timeout:
                    self.abandoned.append(session.session_id)
                raise
            except OSError as error:  # of the machine, not of the server; what was written is as unknown
                self.abandoned.append(session.session_id)
                raise StoreError(f"A transaction could not be carried on: {error}.") from error

    def _end_abandoned(self) -> None:
        """A server that was frozen goes on with what we gave up meanwhile, and would keep the documents locked."""
        while self.abandoned:
            session = self.abandoned[0]
            self.client.admin.command("killSessions", [session])
            if self.abandoned and self.abandoned[0] == session:
                self.abandoned.popleft()

    def end_transactions(self) -> None:
        """End what our user has left open on the server, whichever process began it; without users, all that is open.

        A process that is killed within a transaction leaves its documents locked until the server gives up on it.
        """
        users = self.client.admin.command("connectionStatus").get("authInfo", {}).get("authenticatedUsers", [])
        self.client.admin.command("killAllSessions", [{"user": user["user"], "db": user["db"]} for user in users])

    def close(self) -> None:
        self.client.close()


def connect(uri: str, database: str, timeout_s: float = 5.0) -> MongoStore:
    """Open `database` at `uri`.

    Raises:
        StandaloneRefused: the server is no replica set.
        StoreError: no server answers; the message names the address without its password.
    """
    client: MongoClient[Document] | None = None
    try:
        client = MongoClient(uri, timeoutMS=int(timeout_s * 1000), serverSelectionTimeoutMS=int(timeout_s * 1000),
                             tz_aware=True, appname="tradingd", retryWrites=True)
        hello = client.admin.command("hello")
    except PyMongoError as error:
        if client is not None:
            client.close()
        raise StoreError(f"MongoDB at {without_password(uri)} does not answer: {_first_words(error)}. "
                         f"Check mongo.uri and that the server runs.") from error
    if "setName" not in hello:
        client.close()
        raise StandaloneRefused(uri)
    return MongoStore(client, client.get_database(database, write_concern=WriteConcern("majority", j=True)),
                      transaction_timeout_s=2 * timeout_s)


def without_password(uri: str) -> str:
    """The address alone, fit for a log line: no user, no password, no options."""
    try:
        nodes = parse_uri(uri, validate=False)["nodelist"]
    except (PyMongoError, ValueError):
        return "the configured address"
    return ", ".join(f"{host}:{port}" for host, port in nodes)


def _first_words(error: PyMongoError) -> str:
    return str(error).partition(", Timeout:")[0].partition(" (configured timeouts")[0][:160].rstrip(".")
