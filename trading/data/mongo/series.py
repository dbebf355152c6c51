"""Time series as columnar chunks: one document a key and year, an Arrow stream inside.

A document a bar would be a hundred times slower to read. Writes are compare-and-set on the chunk's version, so two
writers can never both believe that they appended.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from typing import Final

import pandas as pd
import pyarrow as pa
from pymongo.client_session import ClientSession
from pymongo.collection import Collection

from trading.data.mongo.connection import Document
from trading.data.mongo.versioned import replace_version
from trading.errors import DataError

_READ: Final = pa.ipc.IpcReadOptions(use_threads=False)  # a chunk is small: handing it out takes longer than reading it


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """The rows of one year (see `frame_of`), and what names their content."""

    digest: str
    rows: pa.Table


class MongoSeries:
    """Frames with a sorted, unique, UTC index, stored under text keys."""

    def __init__(self, collection: Collection[Document], columns: tuple[str, ...]) -> None:
        self._collection = collection
        self.columns = columns

    def digests(self, keys: Sequence[str]) -> dict[str, dict[int, str]]:
        """What names the content of each chunk, by key and year; keys without any are missing.

        Not its version: a chunk that was removed and stored anew counts from one again.
        """
        found: dict[str, dict[int, str]] = {}
        for chunk in self._collection.find({"key": {"$in": list(keys)}}, {"key": 1, "year": 1, "digest": 1}):
            found.setdefault(chunk["key"], {})[chunk["year"]] = chunk["digest"]
        return found

    def chunks(self, wanted: Sequence[tuple[str, int]]) -> dict[tuple[str, int], Chunk]:
        """Those of these keys and years that there are."""
        return self._found({"_id": {"$in": [f"{key}:{year}" for key, year in wanted]}})

    def chunks_of(self, key: str) -> dict[tuple[str, int], Chunk]:
        """All of `key`."""
        return self._found({"key": key})

    def _found(self, where: Document) -> dict[tuple[str, int], Chunk]:
        return {(chunk["key"], chunk["year"]): Chunk(digest=chunk["digest"], rows=table_of(chunk["data"]))
                for chunk in self._collection.find(where)}

    def stored_keys(self) -> list[str]:
        return sorted(self._collection.distinct("key"))

    def load(self, key: str) -> pd.DataFrame:
        """The whole series of `key`; an empty frame with the right columns when nothing is stored."""
        return self._joined(self._collection.find({"key": key}, {"data": 1}).sort("year", 1))

    def load_since(self, key: str, year: int) -> pd.DataFrame:
        """The series of `key` from the start of `year` on."""
        return self._joined(self._collection.find({"key": key, "year": {"$gte": year}}, {"data": 1}).sort("year", 1))

    def last_stamp(self, key: str) -> pd.Timestamp | None:
        """When the newest row of `key` stands, or None when nothing is stored."""
        newest = self._collection.find_one({"key": key}, {"last": 1}, sort=[("year", -1)])
        return None if newest is None else pd.Timestamp(newest["last"], unit="ms", tz="UTC")

    def append(self, key: str, frame: pd.DataFrame, session: ClientSession | None = None) -> int:
        """Add the rows of `frame` that are newer than what is stored; the number of rows added.

        Raises:
            DataError: the index of `frame` is not sorted, unique and in UTC.
            ConcurrentUpdate: another writer was here.
        """
        check_frame(key, frame, self.columns)
        last = self.last_stamp(key)
        newer = frame if last is None else frame[frame.index > last]
        for year, rows in _by_year(newer):
            self._write(key, year, rows, session, joined=True)
        return len(newer)

    def replace(self, key: str, frame: pd.DataFrame, session: ClientSession | None = None) -> None:
        """Make `frame` the whole series of `key`; years that did not change are not written."""
        check_frame(key, frame, self.columns)
        years = dict(_by_year(frame))
        self._collection.delete_many({"key": key, "year": {"$nin": list(years)}}, session=session)
        for year, rows in years.items():
            self._write(key, year, rows, session, joined=False)

    def _joined(self, chunks: Iterable[Document]) -> pd.DataFrame:
        tables = [table_of(chunk["data"]) for chunk in chunks]
        return frame_of(tables) if tables else empty_frame(self.columns)

    def _write(self, key: str, year: int, rows: pd.DataFrame, session: ClientSession | None, joined: bool) -> None:
        stored = self._collection.find_one({"_id": f"{key}:{year}"}, session=session)
        if stored is not None and joined:
            rows = pd.concat([frame_of([table_of(stored["data"])]), rows.tz_convert("UTC")])
        data = _encoded(rows)
        if stored is not None and stored["data"] == data:
            return
        document = {"_id": f"{key}:{year}", "key": key, "year": year, "rows": len(rows),
                    "last": int(pd.DatetimeIndex(rows.index[-1:]).as_unit("ms").asi8[0]), "data": data,
                    "digest": sha256(data).hexdigest()}
        replace_version(self._collection, document, stored["v"] if stored else 0, f"series {key}", session)


def empty_frame(columns: Iterable[str]) -> pd.DataFrame:
    """No rows, the given columns, a UTC index."""
    return pd.DataFrame({name: pd.Series(dtype="float64") for name in columns},
                        index=pd.DatetimeIndex([], tz="UTC", dtype="datetime64[ms, UTC]"))


def check_frame(key: str, frame: pd.DataFrame, columns: tuple[str, ...]) -> None:
    """Raise DataError unless `frame` can be stored as it is."""
    index = frame.index
    if not isinstance(index, pd.DatetimeIndex) or str(index.tz) != "UTC":
        raise DataError(f"{key}: the rows have no UTC time; convert them before they are stored.")
    if not index.is_monotonic_increasing or not index.is_unique:
        raise DataError(f"{key}: the rows are not in order of time or a time stands twice; sort them first.")
    if tuple(frame.columns) != columns:
        raise DataError(f"{key}: columns {', '.join(map(str, frame.columns))}; expected {', '.join(columns)}.")


def _by_year(frame: pd.DataFrame) -> list[tuple[int, pd.DataFrame]]:
    index = frame.index
    assert isinstance(index, pd.DatetimeIndex)
    return [(int(year), rows) for year, rows in frame.groupby(index.year)]


def _encoded(frame: pd.DataFrame) -> bytes:
    plain = frame.set_axis(pd.DatetimeIndex(frame.index).as_unit("ms"), axis=0).rename_axis("stamp").reset_index()
    table = pa.Table.from_pandas(plain, preserve_index=False).replace_schema_metadata(None).combine_chunks()
    sink = BytesIO()
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table)
    return sink.getvalue()


def table_of(data: bytes) -> pa.Table:
    """The rows of one chunk."""
    with pa.ipc.open_stream(pa.py_buffer(data), options=_READ) as reader:
        return reader.read_all()


def frame_of(tables: Sequence[pa.Table]) -> pd.DataFrame:
    """The rows of consecutive chunks, in pandas' own UTC: with rules that were read anew it would join badly."""
    frame: pd.DataFrame = pa.concat_tables(tables, promote_options="permissive").combine_chunks().to_pandas()
    return frame.set_index("stamp").rename_axis(None).tz_convert("UTC")
