"""Writes files of the configuration folder so that a crash leaves all of them old or all of them new.

One file is replaced by a rename. Several are written down first (REDO); whoever starts next finishes what it says.
Only files of strategies are ever removed.
The texts before a change are kept beside the files as NAME.previous.
"""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from trading.config_files import Texts
from trading.errors import ConfigError
from trading.strategy_files import FORMER, STRATEGIES, is_strategy_file, listed

REDO: Final = ".unfinished-change.json"
PREVIOUS: Final = ".previous"
NOTHING_OF_OURS: Final = "# Nothing of our own: the defaults.\n"  # an empty file looks like a disk that was full


def write_texts(folder: Path, texts: Texts) -> None:
    """Make the files `texts` of `folder` say what they should; files that say it already are not touched.

    Raises:
        ConfigError: the folder cannot be written.
    """
    _write(folder, texts)


def write_folder(folder: Path, texts: Texts) -> None:
    """The same, and no other strategies are there than those among `texts`.

    Raises:
        ConfigError: the folder cannot be written.
    """
    _write(folder, {**dict.fromkeys((*listed(folder), FORMER)), **texts})


def as_it_was(then: Texts, now: Texts) -> dict[str, str]:
    """The texts that bring a folder back to `then`; a file that did not exist says nothing instead, a strategy goes."""
    nothing = {name: NOTHING_OF_OURS for name in now if name != FORMER and not is_strategy_file(name)}
    return nothing | {name: text or NOTHING_OF_OURS for name, text in then.items()}


def finish_interrupted_write(folder: Path) -> bool:
    """Complete a change of several files that a crash has cut short; whether there was one."""
    if not (folder / REDO).is_file():
        return False
    _write(folder, json.loads((folder / REDO).read_text(encoding="utf-8")))
    (folder / REDO).unlink(missing_ok=True)
    return True


def _write(folder: Path, texts: Mapping[str, str | None]) -> None:
    """One without a text is removed."""
    _refuse_package(folder)
    try:
        changed = {name: text for name, text in texts.items() if _text(folder / name) != text}
        if any(map(is_strategy_file, changed)):
            _make_room(folder)
        for name in changed:
            before = _text(folder / name)
            if before is not None:
                _replace(folder / f"{name}{PREVIOUS}", before, folder / name)
        if len(changed) > 1:
            _replace(folder / REDO, json.dumps(changed), folder / next(iter(changed)))
        for name, text in changed.items():
            if text is None:
                _remove(folder / name)
            else:
                _replace(folder / name, text, folder / name)
        (folder / REDO).unlink(missing_ok=True)
    except OSError as error:
        raise ConfigError(f"{folder} cannot be written ({error.strerror}). Edit the files in it as their owner, for "
                          f"example with sudo; the service applies what is saved.") from error


def _refuse_package(folder: Path) -> None:
    if folder.resolve().parent.name == "shipped_files":
        raise ConfigError(f"{folder} holds the defaults that come with tradingd, and every update replaces it. Make "
                          f"a folder of your own, for example /etc/tradingd, and name it with --config or "
                          f"TRADINGD_CONFIG.")


def _text(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        return None


def _replace(path: Path, text: str, like: Path) -> None:
    """Write beside the file that `path` leads to, then rename over it; mode and owner are those of `like`."""
    target = path.resolve()  # a link stays a link
    scratch = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        handle = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as output:
            output.write(text.encode("utf-8", "surrogateescape"))
            _take_after(handle, like)
            output.flush()
            os.fsync(handle)
        scratch.rename(target)
    finally:
        scratch.unlink(missing_ok=True)
    _flush_folder(target.parent)


def _make_room(folder: Path) -> None:
    """The folder of the strategies, for the first one; whoever may write beside it may write in it."""
    place = folder / STRATEGIES
    if not place.is_dir():
        place.mkdir()
        place.chmod(folder.stat().st_mode & 0o777)


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    _flush_folder(path.parent)


def _take_after(handle: int, like: Path) -> None:
    if not like.exists():  # whoever may write into the folder may change it
        os.fchmod(handle, like.parent.stat().st_mode & 0o666)
        return
    found = like.stat()
    os.fchmod(handle, found.st_mode & 0o777)
    with suppress(PermissionError):  # only root may give a file away; then it stays ours, readable by the same mode
        os.fchown(handle, found.st_uid, found.st_gid)


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
