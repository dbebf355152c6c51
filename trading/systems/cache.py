"""SystemCache: what a stage computed, kept while there is room for it. Least recently used goes first, in O(1); before
all others what only leads to something else.

An item remembers from which items it was computed: dropping one drops everything built on it, even if the item
itself had to make room long ago, and an item is as old as the oldest of its inputs. None is a value like any other.
The clock is given, so that ageing can be tested.
"""

import sys
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Final, TypeVar, cast

import pandas as pd

MAX_BYTES: Final = 1_000_000_000  # 123 instruments with fifty rules and their history
_FIELD_BYTES: Final = 8
Value = TypeVar("Value")


@dataclass(frozen=True)
class CacheStatistics:
    """How the cache did so far."""

    hits: int
    misses: int
    evictions: int
    items: int
    bytes: int


@dataclass(frozen=True)
class _Item:
    value: object
    bytes: int
    stored_s: float  # when it was computed, or its oldest input if that is older


@dataclass
class _Computation:
    key: Hashable
    oldest_input_s: float


class SystemCache:
    """At most `max_bytes` in all, nothing older than `ttl_s` seconds (None: ageless).

    What is larger than all the room is not kept, and sends nothing else away.
    """

    def __init__(self, now_s: Callable[[], float], max_bytes: int = MAX_BYTES, ttl_s: float | None = None) -> None:
        self._now_s, self._max_bytes, self._ttl_s = now_s, max_bytes, ttl_s
        self._bytes = 0
        self._items: OrderedDict[Hashable, _Item] = OrderedDict()
        self._interim: OrderedDict[Hashable, _Item] = OrderedDict()  # makes room before any of the others
        self._users: dict[Hashable, set[Hashable]] = {}  # key to what was computed from it; outlives its item
        self._running: list[_Computation] = []
        self._hits = self._misses = self._evictions = 0

    def get_item(self, key: Hashable, compute: Callable[[], Value]) -> Value:
        """The kept value of `key`, computed now if there is none.

        Raises:
            RecursionError: computing `key` needs `key`; the message shows the chain.
        """
        return self._get(key, compute, self._items)

    def get_interim(self, key: Hashable, compute: Callable[[], Value]) -> Value:
        """The same of something large that only leads to other items."""
        return self._get(key, compute, self._interim)

    def set_item(self, key: Hashable, value: object, dependencies: Iterable[Hashable] = ()) -> None:
        """Keep `value`, which was computed from `dependencies`; what was computed from an older one is dropped."""
        self.invalidate(key)
        for dependency in dependencies:
            self._users.setdefault(dependency, set()).add(key)
        self._store(key, _Item(value, size_of(value), self._now_s()), self._items)

    def invalidate(self, key: Hashable) -> int:
        """Drop `key` and everything computed from it; how many items that were."""
        dropped = self._drop(key)
        return dropped + self.invalidate_dependencies(key)

    def invalidate_dependencies(self, key: Hashable) -> int:
        """Drop everything computed from `key`, directly or not; how many items that were."""
        return sum(self.invalidate(user) for user in self._users.pop(key, ()))

    def clear(self) -> None:
        """Drop everything; the statistics go on."""
        self._items.clear()
        self._interim.clear()
        self._users.clear()
        self._bytes = 0

    @property
    def statistics(self) -> CacheStatistics:
        return CacheStatistics(self._hits, self._misses, self._evictions, len(self._items) + len(self._interim),
                               self._bytes)

    def _get(self, key: Hashable, compute: Callable[[], Value], place: OrderedDict[Hashable, _Item]) -> Value:
        self._refuse_circle(key)
        self._note_user(key)
        item = self._fresh(key, place)
        if item is None:
            self._misses += 1
            item = self._computed(key, compute)
            self._store(key, item, place)
        else:
            self._hits += 1
            place.move_to_end(key)
        if self._running:
            self._running[-1].oldest_input_s = min(self._running[-1].oldest_input_s, item.stored_s)
        return cast(Value, item.value)

    def _refuse_circle(self, key: Hashable) -> None:
        running = [computation.key for computation in self._running]
        if key in running:
            chain = " -> ".join(map(str, (*running[running.index(key):], key)))
            raise RecursionError(f"these items of the system need each other: {chain}")

    def _computed(self, key: Hashable, compute: Callable[[], object]) -> _Item:
        self._running.append(_Computation(key, self._now_s()))
        try:
            value = compute()
            return _Item(value, size_of(value), self._running[-1].oldest_input_s)
        finally:
            self._running.pop()

    def _note_user(self, key: Hashable) -> None:
        """Whatever is being computed now stands on `key`, also when that turns out not to be there."""
        if self._running:
            self._users.setdefault(key, set()).add(self._running[-1].key)

    def _fresh(self, key: Hashable, place: OrderedDict[Hashable, _Item]) -> _Item | None:
        item = place.get(key)
        if item is not None and self._ttl_s is not None and self._now_s() - item.stored_s >= self._ttl_s:
            self.invalidate(key)
            return None
        return item

    def _store(self, key: Hashable, item: _Item, place: OrderedDict[Hashable, _Item]) -> None:
        if item.bytes > self._max_bytes:
            return
        place[key] = item
        self._bytes += item.bytes
        while self._bytes > self._max_bytes:
            _, oldest = (self._interim or self._items).popitem(last=False)
            self._bytes -= oldest.bytes
            self._evictions += 1

    def _drop(self, key: Hashable) -> int:
        found = [item for place in (self._items, self._interim) if (item := place.pop(key, None)) is not None]
        self._bytes -= sum(item.bytes for item in found)
        return len(found)


def size_of(value: object) -> int:
    """About the bytes that `value` takes; of a series or a table its numbers, for the index is mostly shared."""
    if isinstance(value, (pd.Series, pd.DataFrame)):  # to ask each column takes longer than to compute many
        return _FIELD_BYTES * int(value.size)
    return sys.getsizeof(value)
