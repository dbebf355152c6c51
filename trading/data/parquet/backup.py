"""The store as Parquet files: series as their own columns, documents as one JSON text each beside their key."""

from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
from bson import json_util
from pymongo.database import Database

from trading.data.mongo.connection import Document
from trading.data.mongo.series import MongoSeries

_SERIES: Final = ("contract_prices", "multiple_prices", "adjusted_prices", "fx_prices")
_LEFT_OUT: Final = ("leases",)  # means nothing elsewhere


class ParquetBackup:
    """One backup into one folder."""

    def __init__(self, database: Database[Document], folder: Path) -> None:
        self._database, self._folder = database, folder
        folder.mkdir(parents=True)

    def collections(self) -> list[str]:
        return sorted(name for name in self._database.list_collection_names() if name not in _LEFT_OUT)

    def write(self, name: str) -> int:
        """Write one collection; the number of rows (series) or documents."""
        return self._write_series(name) if name in _SERIES else self._write_documents(name)

    def _write_series(self, name: str) -> int:
        series, rows = MongoSeries(self._database[name], ()), 0
        folder = self._folder / name
        folder.mkdir()
        for key in series.stored_keys():
            frame = series.load(key).rename_axis("stamp").reset_index()
            pq.write_table(pa.Table.from_pandas(frame, preserve_index=False),
                           folder / f"{key.replace('/', '#')}.parquet", compression="zstd")
            rows += len(frame)
        return rows

    def _write_documents(self, name: str) -> int:
        documents: list[Any] = list(self._database[name].find().sort("_id", 1))
        table = pa.table({"_id": pa.array([str(document["_id"]) for document in documents], pa.string()),
                          "document": pa.array([json_util.dumps(document) for document in documents], pa.string())})
        pq.write_table(table, self._folder / f"{name}.parquet", compression="zstd")
        return len(documents)
