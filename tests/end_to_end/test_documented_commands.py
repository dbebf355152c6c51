"""Every command that the documents show is run as it stands there, in its order, and does what they say.

Each document has a service of its own, with a day behind it, and somebody at the terminal who answers yes.
"""

import contextlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from paper import status_of
from quick_tradectl import QuickTradectl
from statement_files import activity

from daemon.alerts.alert_book import Rules, raised
from trading.control.alert import Alert, AlertKind, Severity
from trading.control.process_run import RunState
from trading.data.mongo.alerts import MongoAlerts
from trading.data.mongo.connection import MongoStore, connect
from trading.data.mongo.process_documents import run_document
from trading.data.mongo.processes import MongoProcesses
from trading.journal import FIELDS

pytestmark = pytest.mark.chaos

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "docs" / "operations.md", *sorted((ROOT / "docs" / "how_to").glob("*.md"))]
WITHOUT_SERVICE = ("simulated_gateway",)
FILE_COMMANDS = ("cp", "mv", "rm")
SAVED = re.compile(r"^```yaml\n# ([\w/]+\.yaml)\n(.*?)^```", re.MULTILINE | re.DOTALL)
EXAMPLES = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
EDITOR = "#!/bin/sh\nsed -i 's/timeout=PT1H/timeout=PT2H/' \"$1\"\n"
BLOCK = re.compile(r"^```(?:console|sh)\n(.*?)^```", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A line of a document: the command, and the exit code that its comment names."""

    command: str
    code: int


def shown(document: Path) -> list[Shown]:
    lines = [line.strip() for block in BLOCK.findall(document.read_text()) for line in block.splitlines()]
    found = []
    for line in filter(None, lines):
        command, _, comment = line.partition("  #")
        code = re.search(r"exit code (\d+)", comment)
        found.append(Shown(command=command.strip(), code=int(code.group(1)) if code else 0))
    return found


class Desk:
    """A folder with `config` and `var`, as an operator's; nothing is named in the calls."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.state = folder, folder / "var"
        editor = folder / "editor"
        editor.write_text(EDITOR)
        editor.chmod(0o755)
        self._tradectl = QuickTradectl(folder, {"EDITOR": str(editor), "VISUAL": ""})

    def call(self, command: str) -> tuple[int, str]:
        """Exit code and output of a line of a document."""
        return self._tradectl.call(command)

    def close(self) -> None:
        self._tradectl.close()

    @contextlib.contextmanager
    def store(self) -> Iterator[MongoStore]:
        store = connect(status_of(self.state)["store"]["uri"], "tradingd")
        try:
            yield store
        finally:
            store.close()


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder after the first `make run ONCE=1`."""
    folder = tmp_path_factory.mktemp("played")
    shutil.copytree(ROOT / "config", folder / "config")
    subprocess.run([sys.executable, "-m", "daemon", "--day", "--once"], cwd=folder, check=True, capture_output=True,
                   timeout=120)
    return folder


@pytest.fixture
def desk(played: Path, tmp_path: Path) -> Iterator[Desk]:
    folder = tmp_path / "desk"
    shutil.copytree(played, folder)
    desk = Desk(folder)
    yield desk
    desk.call("tradectl stop --timeout 60")
    desk.close()


def prepare(desk: Desk, command: str) -> None:
    """Bring about what the document is about at this place: an alert that is open, a run that is lost."""
    _, verb, *words = command.split()
    if verb == "ack":
        kind, _, subject = words[0].partition(":")
        with desk.store() as store:
            _open_alert(MongoAlerts(store), AlertKind(kind), subject)
    if command.startswith("tradectl reconcile statement"):
        (desk.folder / "flex.xml").write_text(activity(account="DU0000001"))
    if verb == "resolve":
        with desk.store() as store:
            _lose_run(store, words[0])


def _open_alert(alerts: MongoAlerts, kind: AlertKind, subject: str) -> None:
    alert = Alert(kind=kind, subject=subject, text="as the document says", at=datetime.now(UTC),
                  severity=Severity.WARNING)
    state, _ = raised(alerts.load(f"{kind}:{subject}"), alert, Rules())
    alerts.save(replace(state, outbox=()))


def _lose_run(store: MongoStore, run_id: str) -> None:
    process, slot = run_id.partition("#")[0].split("@")
    run = replace(MongoProcesses(store).runs(process)[0], id=run_id, slot=slot, attempt=1, state=RunState.LOST)
    store.database.process_runs.replace_one({"_id": run_id}, run_document(run) | {"v": 1}, upsert=True)


@pytest.mark.parametrize("document", DOCUMENTS, ids=[document.stem for document in DOCUMENTS])
def test_every_command_of_a_document_does_what_it_says(document: Path, desk: Desk) -> None:
    wrong = []
    if document.stem not in WITHOUT_SERVICE:
        assert desk.call("tradectl start")[0] == 0
    saved = dict(SAVED.findall(document.read_text()))
    for line in shown(document):
        if line.command.split()[0] in FILE_COMMANDS:
            subprocess.run(shlex.split(line.command), cwd=desk.folder, check=True)
        for name in [name for name in saved if (desk.folder / name).parent.is_dir()]:
            (desk.folder / name).write_text(saved.pop(name))
        if not line.command.startswith("tradectl "):
            continue
        prepare(desk, line.command)
        code, said = desk.call(line.command)
        if code != line.code or "Traceback" in said:
            wrong.append(f"{line.command}: {code}, not {line.code}: {said[-300:]}")
    assert wrong == []


def test_the_examples_in_python_run_against_a_gateway(desk: Desk) -> None:
    examples = EXAMPLES.findall((ROOT / "docs" / "how_to" / "simulated_gateway.md").read_text())
    assert desk.call("tradectl sim start --port 4002")[0] == 0
    try:
        said = [subprocess.run([sys.executable, "-c", text], cwd=desk.folder, check=True, capture_output=True,
                               text=True, timeout=60).stdout.strip() for text in examples]
    finally:
        assert desk.call("tradectl sim stop")[0] == 0
    assert said[0] == "Filled"
    assert said[1].startswith("{")


@pytest.mark.parametrize("document", DOCUMENTS, ids=[document.stem for document in DOCUMENTS])
def test_what_is_not_run_names_what_exists(document: Path) -> None:
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for line in shown(document):
        words: list[Any] = [word for word in line.command.split() if word != "sudo" and not re.match(r"[A-Z]+=", word)]
        if words[0] == "make":
            assert words[1] in targets, line.command
        elif words[0].startswith("deploy/"):
            assert os.access(ROOT / words[0], os.X_OK), line.command
        elif words[0] == "systemctl":
            unit = f"{words[-1].partition('@')[0]}{'@' if '@' in words[-1] else ''}.service"
            assert (ROOT / "systemd" / unit).is_file(), line.command
        elif words[0] == "journalctl":
            fields = re.findall(r"\b([A-Z]+_[A-Z]+)=", line.command)
            assert set(fields) <= {*FIELDS.values(), "TRADINGD_EVENT"}, line.command
