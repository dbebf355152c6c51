"""Where many independent sums are done: here, in other processes, on other machines. The numbers are the same.

Whatever is random takes its seed from the task, never from the worker. The executors that leave this process live in
trading/executors.py.
"""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")


class Executor(Protocol):
    """Does tasks in any order and gives the results in theirs."""

    def map(self, function: Callable[[Task], Result], tasks: Sequence[Task]) -> list[Result]:
        """`function` of each task. Both must be findable or picklable by another process; an error is raised here."""
        ...


class SerialExecutor:
    """One after the other, in this process."""

    def map(self, function: Callable[[Task], Result], tasks: Sequence[Task]) -> list[Result]:
        """`function` of each task."""
        return [function(task) for task in tasks]
