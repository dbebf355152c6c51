"""What the database knows about itself: whose it is, and which recorded day is being played."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import date

from pymongo.errors import DuplicateKeyError

from trading.data.mongo.connection import MongoStore
from trading.errors import StoreError
from trading.risk.account_track import AccountTrack


@dataclass(frozen=True, kw_only=True)
class Playback:
    """Recorded days that were held back at the import, and how far they have been played."""

    days: tuple[date, ...]
    source: str
    current: date | None = None  # being played, or last played
    finished: bool = True

    def next_day(self, again: bool) -> date | None:
        """The day to play: an interrupted one first, the same `again`, else the next; None when all are played."""
        if self.current is not None and (again or not self.finished):
            return self.current
        later = [day for day in self.days if self.current is None or day > self.current]
        return later[0] if later else None


class MongoSettings:
    """A few single documents."""

    def __init__(self, store: MongoStore) -> None:
        self._collection = store.database.settings
        self._name = store.database.name

    def stamp_identity(self, mode: str, account: str) -> None:
        """Claim the database for `mode` and `account`.

        Raises:
            StoreError: it belongs to another mode or account; paper and live never mix.
        """
        wanted = {"mode": mode, "account": account}
        with suppress(DuplicateKeyError):  # it belongs to somebody already; to whom is seen next
            self._collection.insert_one({"_id": "identity", **wanted})
        found = self._collection.find_one({"_id": "identity"}) or {}
        owner = {key: found.get(key) for key in wanted}
        if owner != wanted:
            raise StoreError(f"The database {self._name} belongs to mode {owner['mode']}, account {owner['account']}; "
                             f"this daemon is configured for mode {mode}, account {account}. Name another "
                             f"mongo.database, or correct mode and broker.account in tradingd.yaml.")

    def playback(self) -> Playback | None:
        document = self._collection.find_one({"_id": "playback"})
        if document is None:
            return None
        current = document["current"]
        return Playback(days=tuple(map(date.fromisoformat, document["days"])), source=document["source"],
                        current=current and date.fromisoformat(current), finished=document["finished"])

    def save_playback(self, playback: Playback) -> None:
        document = {"days": [day.isoformat() for day in playback.days], "source": playback.source,
                    "current": playback.current and playback.current.isoformat(), "finished": playback.finished}
        self._collection.replace_one({"_id": "playback"}, document, upsert=True)

    def note_imported(self) -> None:
        """An import has come to its end."""
        self._collection.replace_one({"_id": "imported"}, {"_id": "imported"}, upsert=True)

    def has_imported(self) -> bool:
        """Whether one has; one that was broken off is to be repeated, which adds nothing twice."""
        return self._collection.find_one({"_id": "imported"}) is not None

    def account_track(self) -> AccountTrack:
        """What is remembered of the account's worth; a fresh one when nothing is."""
        document = self._collection.find_one({"_id": "account_track"})
        return AccountTrack() if document is None else AccountTrack.from_dict(document)

    def save_account_track(self, track: AccountTrack) -> None:
        self._collection.replace_one({"_id": "account_track"}, track.as_dict(), upsert=True)

    def program(self) -> tuple[str, int] | None:
        """Digest and schema of the program that led last; None before any."""
        document = self._collection.find_one({"_id": "program"})
        return None if document is None else (str(document["code"]), int(document["schema"]))

    def save_program(self, code: str, schema: int) -> None:
        self._collection.replace_one({"_id": "program"}, {"code": code, "schema": schema}, upsert=True)

    def swap_leader(self, node: str) -> str | None:
        """Note that `node` leads now; who did before."""
        before = self._collection.find_one_and_update({"_id": "leader"}, {"$set": {"node": node}}, upsert=True)
        return None if before is None else str(before["node"])

    def clock_hold(self) -> str:
        """Why the schedule is held until somebody accepts the clock; empty when it is not."""
        document = self._collection.find_one({"_id": "clock"})
        return "" if document is None else str(document["held"])

    def hold_clock(self, held: str) -> None:
        """Hold the schedule, or with an empty reason let it go on."""
        self._collection.replace_one({"_id": "clock"}, {"held": held}, upsert=True)
