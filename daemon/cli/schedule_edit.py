"""What the commands of `tradectl schedule` do with texts: the editor, the checks, and what a change would mean."""

import difflib
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import click

from daemon.cli.config_desk import PROCESSES_FILE, Desk, in_the_view
from daemon.configuration.checked_config import checked_config
from daemon.configuration.config_changes import as_lines
from daemon.configuration.crontab_view import to_view
from trading.config import FILES, Config
from trading.errors import ConfigError
from trading.strategy_files import is_strategy_file

_YAML: Final = (".yaml", ".yml")


def edited_text(desk: Desk) -> tuple[str, str]:
    """processes.yaml as it was and as a person wants it, edited as a crontab until it has no mistakes.

    Raises:
        ConfigError: it has mistakes, and nobody can be asked or nobody wants to mend them.
    """
    seen = desk.processes_text()
    view = before = to_view(desk.processes(seen))
    while True:
        view = _in_editor(view)
        if view == before:
            return seen, seen
        try:
            return seen, _checked_view(desk, seen, view)
        except ConfigError as error:
            if not sys.stdin.isatty():
                raise
            click.echo(str(error), err=True)
            if not click.confirm("Edit again? (no: forget this edit)", default=True, err=True):
                raise ConfigError("Nothing was changed.") from error


def text_of_file(desk: Desk, file: Path) -> str:
    """What processes.yaml would be: the file itself, or what a crontab makes of it."""
    text = _read(file)
    if file.suffix not in _YAML:
        return _checked_view(desk, desk.processes_text(), text)
    desk.checked(desk.texts() | {PROCESSES_FILE: text})
    return text


def checked_path(desk: Desk, path: Path | None) -> Config:
    """The configuration of a folder, or of ours with one file in place of its own.

    Ours is checked by the service as well, while it runs.

    Raises:
        ConfigError: it has mistakes; the message lists all of them.
    """
    if path is None:
        return desk.checked_by_the_service(desk.texts()).config
    if path.is_dir():
        return checked_config(path)
    if path.suffix not in _YAML:
        text = _checked_view(desk, desk.processes_text(), _read(path))
        return desk.checked(desk.texts() | {PROCESSES_FILE: text}).config
    name = _name_in_the_folder(path)
    try:
        return desk.checked_by_the_service(desk.texts() | {name: _read(path)}).config
    except ConfigError as error:
        raise ConfigError(str(error).replace(str(desk.folder / name), str(path))) from error


def _name_in_the_folder(path: Path) -> str:
    """Which of our files `path` is a draft of: a strategy lies in a folder like that of the strategies."""
    strategy = f"{path.resolve().parent.name}/{path.name}"
    if is_strategy_file(strategy):
        return strategy
    return path.name if path.name in FILES else PROCESSES_FILE


def lines_of_changes(desk: Desk, text: str) -> list[str]:
    """What a new processes.yaml changes, for a person."""
    return lines_between(desk, desk.texts(), desk.texts() | {PROCESSES_FILE: text})


def lines_between(desk: Desk, old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """What changes from `old` to `new` texts; `new` must be right, `old` need not."""
    desk.checked(new)
    try:
        changes = desk.changes(old, new)
    except ConfigError:
        return ["The files on disk are wrong, so only their text can be compared.", *_text_difference(old, new)]
    return as_lines(changes) or ["Only comments or the way of writing change.", *_text_difference(old, new)]


def differences(desk: Desk, generation: int) -> list[str]:
    """What the files on disk change against a generation: the meaning, then the text."""
    old, new = desk.generation(generation), desk.texts()
    text = _text_difference(old, new)
    if not text:
        return []
    try:
        return [*as_lines(desk.changes(old, new)), *text]
    except ConfigError as error:
        return [*text, f"One of the two is wrong today, so that only the text is compared: {error}"]


def _checked_view(desk: Desk, seen: str, view: str) -> str:
    """The text `seen`, changed to say what a view without mistakes says.

    Raises:
        ConfigError: with the lines of the view.
    """
    text = desk.with_view(seen, view)
    try:
        desk.checked(desk.texts() | {PROCESSES_FILE: text})
    except ConfigError as error:
        raise ConfigError(in_the_view(error, view)) from error
    return text


def _in_editor(view: str) -> str:
    words = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
    with TemporaryDirectory(prefix="tradectl-") as folder:
        file = Path(folder, "schedule.crontab")
        file.write_text(view, encoding="utf-8")
        try:
            done = subprocess.run([*words, str(file)], check=False)
        except OSError as error:
            raise ConfigError(f"The editor {words[0]} cannot be started: {error.strerror}. "
                              f"Name another in $EDITOR.") from error
        if done.returncode != 0:
            raise ConfigError(f"The editor {words[0]} ended with code {done.returncode}; nothing was changed.")
        return _read(file)


def _read(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: not UTF-8 text: {error.reason} at byte {error.start}.") from error
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}.") from error


def _text_difference(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    lines: list[str] = []
    for name in dict.fromkeys((*old, *new)):
        lines += [line.rstrip("\n") for line in difflib.unified_diff(
            old.get(name, "").splitlines(), new.get(name, "").splitlines(), f"{name} (before)", f"{name} (after)",
            lineterm="", n=1)]
    return lines
