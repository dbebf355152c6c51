"""Breadth first through every state, so that the first broken promise comes with the shortest way to it."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

S = TypeVar("S")


@dataclass(frozen=True)
class Broken:
    """A promise that does not hold, and the shortest way there."""

    promise: str
    way: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join([self.promise, *(f"  {number:2}. {each}" for number, each in enumerate(self.way, 1))])


@dataclass(frozen=True)
class Explored:
    """How many states there are, whether that is all of them, and the first broken promise."""

    states: int
    is_all: bool
    broken: Broken | None


def explored(start: S, steps: Callable[[S], Iterator[tuple[str, S]]], problem_of: Callable[[S], str | None],
             problem_between: Callable[[S, S], str | None], at_most: int) -> Explored:
    """Every state behind `start`; each is judged once, and so is each step."""
    came: dict[S, tuple[S, str] | None] = {start: None}
    waiting = deque([start])
    while waiting:
        state = waiting.popleft()
        for words, after in steps(state):
            is_new = after not in came
            found = problem_between(state, after) or (problem_of(after) if is_new else None)
            if found is not None:
                return Explored(len(came), False, Broken(found, (*_way(came, state), words)))
            if is_new:
                if len(came) >= at_most:
                    return Explored(len(came), False, None)
                came[after] = (state, words)
                waiting.append(after)
    return Explored(len(came), True, None)


def _way(came: dict[S, tuple[S, str] | None], state: S) -> tuple[str, ...]:
    way: list[str] = []
    step = came[state]
    while step is not None:
        way.append(step[1])
        step = came[step[0]]
    return tuple(reversed(way))
