"""Executors that leave this process: its neighbours on this machine by default, a cluster when there is one.

Both keep the contract of trading/quant/executor.py: results in the order of the tasks, numbers that do not depend on
who computed them. Small tasks travel in batches.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from types import TracebackType
from typing import Any, Self

from trading.errors import ConfigError
from trading.quant.executor import Executor, Result, SerialExecutor, Task

BATCHES_A_WORKER = 4  # few enough to cost little, enough that a slow one does not hold up the rest


class ProcessPool:
    """Processes of this machine; they start with the first tasks and end with `close` or the `with` block."""

    def __init__(self, workers: int | None = None) -> None:
        self._workers = workers or os.cpu_count() or 1
        self._pool: ProcessPoolExecutor | None = None

    def map(self, function: Callable[[Task], Result], tasks: Sequence[Task]) -> list[Result]:
        """`function` of each task, in batches."""
        if self._pool is None:
            self._pool = ProcessPoolExecutor(self._workers, mp_context=get_context("spawn"))
        return list(self._pool.map(function, tasks, chunksize=_batch(len(tasks), self._workers)))

    def close(self) -> None:
        """End the processes; the next tasks start new ones."""
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()


class DaskCluster:
    """Workers of a dask cluster, over its client; `pip install 'tradingd[cluster]'`.

    Tasks and results travel as pickles: only for a cluster that nobody else can reach.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    @classmethod
    def at(cls, address: str, timeout_s: float = 10) -> Self:
        """The cluster whose scheduler listens at `address`, for example tls://scheduler:8786.

        Raises:
            ConfigError: dask.distributed is not installed, or nobody answers.
        """
        try:
            from distributed import Client
        except ImportError as error:
            raise ConfigError("dask.distributed is not installed. Install it: "
                              "pip install 'tradingd[cluster]'") from error
        try:
            return cls(Client(address, timeout=timeout_s))
        except OSError as error:
            raise ConfigError(f"No dask scheduler answers at {address}. Start one, or use this machine's "
                              f"processes.") from error

    def map(self, function: Callable[[Task], Result], tasks: Sequence[Task]) -> list[Result]:
        """`function` of each task, in batches."""
        size = _batch(len(tasks), max(1, len(self._client.ncores())))
        batches = [(function, tasks[start:start + size]) for start in range(0, len(tasks), size)]
        done = self._client.gather(self._client.map(_whole_batch, batches, pure=False))
        return [result for batch in done for result in batch]

    def close(self) -> None:
        """Leave the cluster; it goes on without us."""
        self._client.close()


@contextmanager
def executor_for(*, is_long: bool) -> Iterator[Executor]:
    """All processors of this machine for a long estimation; for a short one they would take longer to start."""
    if not is_long:
        yield SerialExecutor()
        return
    with ProcessPool() as processes:
        yield processes


def _batch(tasks: int, workers: int) -> int:
    return max(1, -(-tasks // (workers * BATCHES_A_WORKER)))


def _whole_batch(batch: tuple[Callable[[Task], Result], Sequence[Task]]) -> list[Result]:
    function, tasks = batch
    return [function(task) for task in tasks]
