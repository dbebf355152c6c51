"""Which files of a configuration folder are strategies: strategies/NAME.yaml, one a file. Does not read them.

Real money is at stake, so no example trades beside somebody's own strategy by accident: a folder with at least one
strategy file has those and no others. Only a folder without any has the shipped ones.
"""

import os
import re
from pathlib import Path
from typing import Final

from trading.config_files import Texts
from trading.shipped import shipped_folder
from trading.yaml_document import ConfigProblems, Place, Problem

STRATEGIES: Final = "strategies"  # the folder within the configuration folder
FORMER: Final = "strategies.yaml"  # may not be there: somebody would believe that it is read
_FORMER_PARTS: Final = (f"this file is not read. Give each strategy a file of its own, {STRATEGIES}/NAME.yaml; "
                        f"capital_method belongs into tradingd.yaml.")
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_ENDINGS: Final = (".yaml", ".yml")


def strategy_file(strategy: str) -> str:
    """Where `strategy` stands within a configuration folder."""
    return f"{STRATEGIES}/{strategy}.yaml"


def strategy_of(file: str) -> str:
    """The name of the strategy that stands in `file`."""
    return file.removeprefix(f"{STRATEGIES}/").removesuffix(".yaml")


def is_strategy_file(file: str) -> bool:
    """Whether `file` (within the folder) is meant as a strategy, rightly named or not; what editors leave is not."""
    folder, _, name = file.rpartition("/")
    return folder == STRATEGIES and not name.startswith(".") and name.lower().endswith(_ENDINGS)


def strategy_files(folder: Path, texts: Texts | None) -> tuple[tuple[str, ...], list[Problem]]:
    """The files of the strategies that trade, and what is wrong with names; with `texts` as if the folder had those."""
    try:
        own = listed(folder) if texts is None else tuple(sorted(filter(is_strategy_file, texts), key=strategy_of))
    except ConfigProblems as error:
        return (), list(error.problems)
    wrong = {file: what for file in own if (what := mistake_in_name(file))}
    if (folder / FORMER).exists() if texts is None else FORMER in texts:
        wrong[FORMER] = _FORMER_PARTS
    files = tuple(file for file in own if file not in wrong) if own else listed(shipped_folder())
    return files, [Problem(place=Place(file=str(folder / file)), what=what) for file, what in wrong.items()]


def listed(folder: Path) -> tuple[str, ...]:
    """The files of `folder` that are meant as strategies, in order of their names: S before S-2.

    Raises:
        ConfigProblems: nobody knows which there are; that never means none.
    """
    place = folder / STRATEGIES
    try:
        files = (f"{STRATEGIES}/{name}" for name in os.listdir(place))
        return tuple(sorted(filter(is_strategy_file, files), key=strategy_of))
    except FileNotFoundError:
        if place.is_symlink():
            raise _problem(place, "this link leads nowhere. Mend it, or remove it.") from None
        return ()
    except NotADirectoryError:
        raise _problem(place, "this is no folder. Make it one, with a file NAME.yaml for each strategy.") from None
    except OSError as error:
        raise _problem(place, f"it cannot be read: {error.strerror}. Let the user of the service read it.") from error


def mistake_in_name(file: str) -> str:
    """Why the strategy file `file` cannot be one; empty when it can."""
    stem, dot, ending = file.removeprefix(f"{STRATEGIES}/").rpartition(".")
    if dot + ending != ".yaml":
        return f"it is not read. Rename it to {stem}.yaml, or move it away."
    if not _NAME.fullmatch(stem):
        return (f"{stem!r} cannot be the name of a strategy: it begins with a letter and goes on with letters, digits, "
                f"_ or -. Rename the file.")
    return ""


def _problem(place: Path, what: str) -> ConfigProblems:
    return ConfigProblems([Problem(place=Place(file=str(place)), what=what)])
