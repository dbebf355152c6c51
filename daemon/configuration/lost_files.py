"""Files that were in use and are not there any more, where that would silently mean the defaults. Pure.

One strategy of several may go: that is how it is taken away. The last one may not, since the shipped ones would trade
in its place.
"""

from collections.abc import Collection, Iterator
from pathlib import Path

from trading.config_files import Texts
from trading.errors import ConfigError
from trading.strategy_files import is_strategy_file


def refuse_lost_files(folder: Path, before: Texts, now: Texts, needed: Collection[str], generation: int) -> None:
    """`needed` are the files, beside the strategies, that may not vanish; `before` was in use as `generation`.

    Raises:
        ConfigError: a file is lost; the message says how to bring it back, and how to do without it.
    """
    for name, found, meant in (*_lost(before, now, needed), *_lost_strategies(before, now)):
        raise ConfigError(f"{folder / name} was there and is {found}. Put it back, by hand or with `tradectl schedule "
                          f"rollback {generation or 'GENERATION'}`; {meant}.")


def _lost(before: Texts, now: Texts, needed: Collection[str]) -> Iterator[tuple[str, str, str]]:
    for name, text in before.items():
        if text and name in needed and not now.get(name):
            yield (name, "empty" if name in now else "gone", "if the defaults are meant, write a line with a # into it")


def _lost_strategies(before: Texts, now: Texts) -> Iterator[tuple[str, str, str]]:
    strategies = [name for name, text in before.items() if text and is_strategy_file(name)]
    for name in strategies:
        if now.get(name) == "":  # a disk that was full, rather than a decision
            yield name, "empty", "to end the strategy, remove the file"
    if strategies and not any(map(is_strategy_file, now)):
        yield (strategies[0], "gone", "without any strategy of yours the shipped example would be traded, so add "
                                      "another one first")
