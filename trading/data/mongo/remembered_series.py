"""Stored series that are read again only where they changed: for a reader that looks, computes, and looks again.

It keeps what it read, so it is for as long as one computation is of use; it never writes.
"""

import pandas as pd

from trading.data.mongo.series import Chunk, MongoSeries, empty_frame, frame_of


class RememberedSeries:
    """The frames of `series`; one that did not change is the same object as before."""

    def __init__(self, series: MongoSeries) -> None:
        self._series = series
        self._frames: dict[str, pd.DataFrame] = {}
        self._chunks: dict[str, dict[int, Chunk]] = {}  # by key and year

    def load(self, key: str) -> pd.DataFrame:
        """The whole series of `key`, as it was when it was last looked at."""
        if key not in self._frames:
            self._keep(key, {year: chunk for (_, year), chunk in self._series.chunks_of(key).items()})
        return self._frames[key]

    def look_again(self) -> None:
        """Read what changed since: one question for the digests, one for the chunks that are others."""
        digests = self._series.digests(list(self._frames))
        self._read({key: digests.get(key, {}) for key, chunks in self._chunks.items()
                    if digests.get(key, {}) != {year: chunk.digest for year, chunk in chunks.items()}})

    def _read(self, digests: dict[str, dict[int, str]]) -> None:
        known = {(key, year): chunk for key in digests for year, chunk in self._chunks[key].items()
                 if digests[key].get(year) == chunk.digest}
        new = [(key, year) for key, years in digests.items() for year in years if (key, year) not in known]
        chunks = known | (self._series.chunks(new) if new else {})
        for key, years in digests.items():
            self._keep(key, {year: chunks[key, year] for year in years if (key, year) in chunks})

    def _keep(self, key: str, chunks: dict[int, Chunk]) -> None:
        tables = [chunks[year].rows for year in sorted(chunks)]
        self._chunks[key] = chunks
        self._frames[key] = frame_of(tables) if tables else empty_frame(self._series.columns)
