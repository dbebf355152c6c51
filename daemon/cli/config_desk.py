"""The configuration as tradectl works on it: through the daemon while it runs, on the files themselves while not."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from daemon.cli.__main__ import Settings
from daemon.cli.asking import actor
from daemon.configuration.checked_config import Checked, checked
from daemon.configuration.config_changes import Change, describe
from daemon.configuration.config_folder import as_it_was, write_folder, write_texts
from daemon.configuration.crontab_view import ViewLine, mistake, read_view
from daemon.configuration.folder_texts import read_text, read_texts
from daemon.configuration.own_modules import module_is_there
from daemon.configuration.processes_file import apply_view, processes_in
from trading.clock import SystemClock
from trading.config import read_config
from trading.config_files import is_shipped
from trading.control.config_revision import ConfigRevision
from trading.errors import ConcurrentUpdate, ConfigError
from trading.shipped import shipped_folder
from trading.unix_socket import DaemonRefused, DaemonUnreachable, request
from trading.yaml_document import ConfigProblems

PROCESSES_FILE = "processes.yaml"


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Where the configuration lies, and what the running daemon says about it (None: it does not run)."""

    settings: Settings
    folder: Path
    daemon: Mapping[str, Any] | None

    @classmethod
    def of(cls, settings: Settings) -> "Desk":
        try:
            answer = request(settings.places.socket, "GET", "/config")
        except DaemonUnreachable:
            return cls(settings=settings, folder=settings.config_folder, daemon=None)
        return cls(settings=settings, folder=Path(answer["folder"]), daemon=answer)

    def now(self) -> datetime:
        """What time it is for the schedule; a daemon that plays the past has its own idea."""
        if self.daemon is None:
            return SystemClock().now()
        return datetime.fromisoformat(request(self.settings.places.socket, "GET", "/status")["clock"])

    def zone(self) -> ZoneInfo:
        """The operator's; UTC while tradingd.yaml is wrong."""
        service = read_config(self.folder).service
        return ZoneInfo("UTC") if service is None else service.zone

    def texts(self) -> dict[str, str]:
        """What the files say."""
        processes = read_config(self.folder).processes
        return read_texts(self.folder, {} if processes is None else processes.calendars)

    def processes_text(self) -> str:
        return read_text(self.folder, PROCESSES_FILE) or ""

    def processes(self, text: str | None = None) -> dict[str, dict[str, Any]]:
        """The keys of each process as they are written, in the file or in `text`."""
        return processes_in(self.processes_text() if text is None else text, self._shipped_text())

    def with_view(self, text: str, view: str) -> str:
        """The `text` of processes.yaml, changed to say what `view` says."""
        return apply_view(text, view, self._shipped_text())

    def checked(self, texts: Mapping[str, str] | None = None) -> Checked:
        """The configuration with `texts` in place of the files; mistakes name the file.

        While the service runs it alone says which modules of somebody's own it can import; we may be elsewhere.

        Raises:
            ConfigError: something is wrong; the message lists all of it.
        """
        cache = self.settings.places.calendars
        writable = cache if os.access(self.settings.places.state, os.W_OK) else None
        is_there = module_is_there if self.daemon is None else lambda _module: True
        return checked(self.folder, texts, self.now(), writable, is_there)

    def checked_by_the_service(self, texts: Mapping[str, str]) -> Checked:
        """The same, and the running service has nothing against it.

        Raises:
            ConfigError: something is wrong; the message lists all of it.
        """
        found = self.checked(texts)
        if self.daemon is not None:
            gone = dict.fromkeys(name for name in self.texts() if name not in texts)
            try:
                request(self.settings.places.socket, "POST", "/config/check", {"files": {**gone, **texts}})
            except DaemonRefused as refusal:
                raise ConfigError(str(refusal)) from refusal
        return found

    def changes(self, old: Mapping[str, str], new: Mapping[str, str]) -> list[Change]:
        """What `new` texts change of `old` ones."""
        before, after = self.checked(old), self.checked(new)
        return describe(before.config, after.config, self.now(), before.calendars, after.calendars, self._running())

    def apply(self, text: str, seen: str, reason: str) -> str:
        """Make processes.yaml say `text`; one sentence about what that came to."""
        if self.daemon is not None:
            done = request(self.settings.places.socket, "POST", "/config/apply",
                           {"processes_yaml": text, "seen": seen, "actor": actor(), "reason": reason, "source": "cli"})
            return f"Applied as generation {done['generation']}."
        if self.processes_text() != seen:
            raise ConcurrentUpdate(str(self.folder / PROCESSES_FILE), 0)
        write_texts(self.folder, {PROCESSES_FILE: text})
        return (f"Written to {self.folder / PROCESSES_FILE} (before: {PROCESSES_FILE}.previous). The service does not "
                f"run; it uses this when it starts.")

    def rollback(self, generation: int, reason: str) -> str:
        """Make the files say what they said in `generation`; one sentence about what that came to."""
        if self.daemon is not None:
            done = request(self.settings.places.socket, "POST", "/config/rollback",
                           {"generation": generation, "actor": actor(), "reason": reason})
            return f"The files say what they said in generation {generation}; in use as generation " \
                   f"{done['generation']}."
        texts = as_it_was(self.generation(generation), self.texts())
        self.checked(texts)
        write_folder(self.folder, texts)
        return (f"The files say what they said in generation {generation}. The service does not run; it uses them when "
                f"it starts.")

    def generation(self, generation: int) -> dict[str, str]:
        """The texts of a generation."""
        if self.daemon is not None:
            return dict(request(self.settings.places.socket, "GET", f"/config/{generation}")["files"])
        from daemon.cli.store import opened_store
        from trading.data.mongo.config_revisions import MongoConfigRevisions

        with opened_store(self.settings) as (store, _config):
            return dict(MongoConfigRevisions(store).get(generation).files)

    def history(self, limit: int) -> list[dict[str, Any]]:
        """The newest generations first."""
        if self.daemon is not None:
            rows: list[dict[str, Any]] = request(self.settings.places.socket, "GET", f"/config/history?limit={limit}")
            return rows
        from daemon.cli.store import opened_store
        from trading.data.mongo.config_revisions import MongoConfigRevisions

        with opened_store(self.settings) as (store, _config):
            return [_row(revision) for revision in MongoConfigRevisions(store).history(limit)]

    def _shipped_text(self) -> str:
        return "" if is_shipped(self.folder) else (shipped_folder() / PROCESSES_FILE).read_text(encoding="utf-8")

    def _running(self) -> list[str]:
        if self.daemon is None:
            return []
        status = request(self.settings.places.socket, "GET", "/status")
        return [row["process"] for row in status["processes"] if row["state"] == "RUNNING"]


def in_the_view(error: ConfigError, view: str) -> str:
    """`error` about processes.yaml, told with the lines of the view that it came from."""
    if not isinstance(error, ConfigProblems):
        return str(error)
    lines: Mapping[str, ViewLine] = read_view(view)
    told = []
    for problem in error.problems:
        name, key = (*problem.path[1:3], "", "")[:2]
        if problem.path[:1] != ("processes",) or name not in lines:
            told.append(str(problem))
        elif key in lines[name].columns:
            told.append(lines[name].mistake(key, problem.what))
        else:
            line = lines[name]
            told.append(mistake(line.number, line.columns["process"], f"{name}: {problem.what}", line.source))
    return "\n".join(told)


def _row(revision: ConfigRevision) -> dict[str, Any]:
    return {"generation": revision.generation, "sha256": revision.sha256, "author": revision.author,
            "reason": revision.reason, "source": revision.source.value, "at": revision.at.isoformat(),
            "parent": revision.parent, "changes": list(revision.changes)}
