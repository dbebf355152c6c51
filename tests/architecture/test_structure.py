"""What holds for the whole tree: who imports what, who reads a clock, what ships, what the documents promise."""

import ast
import importlib
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import click
import pytest
import yaml

from daemon.cli.__main__ import COMMANDS, tradectl
from processes.registry import PROCESSES, job_module
from trading.config import FILES
from trading.shipped import shipped_folder

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(path for package in ("daemon", "processes", "trading") for path in (ROOT / package).rglob("*.py"))
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


def imports(path: Path) -> set[str]:
    """Modules that a file imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_the_broker_library_is_imported_at_one_seam() -> None:
    users = [name_of(path) for path in SOURCES if any(name.split(".")[0] == "ib_async" for name in imports(path))]
    assert users == ["trading/broker/ib/library.py"]


def test_the_embedded_server_is_never_imported() -> None:
    assert [name_of(path) for path in SOURCES if any(name.startswith("secantus") for name in imports(path))] == []


def test_only_the_clock_reads_the_clock() -> None:
    readers = [name_of(path) for path in SOURCES
               if re.search(r"datetime\.now\(|utcnow\(|\btime\.time\(|date\.today\(", path.read_text())]
    assert readers == ["trading/clock.py"]


@pytest.mark.parametrize("name", sorted(path.stem for path in (ROOT / "benchmarks").glob("*.py")))
def test_every_benchmark_can_be_imported(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "tests" / "unit")  # one measures over the store of the unit tests
    importlib.import_module(f"benchmarks.{name}")


def test_a_limit_of_time_never_swallows_a_cancellation() -> None:
    """asyncio.wait_for of Python 3.11 does, when the answer comes at the same moment; asyncio.timeout does not."""
    assert [path.name for path in SOURCES if "asyncio.wait_for(" in path.read_text()] == []


def test_no_process_imports_another() -> None:
    jobs = {f"processes.{name}" for name in PROCESSES}
    for path in (ROOT / "processes").glob("*.py"):
        assert not imports(path) & jobs, name_of(path)


def test_only_the_worker_runs_jobs() -> None:
    users = [name_of(path) for path in SOURCES if path.parts[-2:] != ("daemon", "worker_main.py")
             and "job_module" in path.read_text() and "registry" not in path.name]
    assert users == []


def test_only_the_daemon_and_the_seam_are_asynchronous() -> None:
    coloured = [name_of(path) for path in SOURCES if re.search(r"^\s*async def ", path.read_text(), re.MULTILINE)]
    allowed = ("daemon/", "trading/broker/ib/", "trading/broker/simulated/server.py")
    assert [name for name in coloured if not name.startswith(allowed)] == []


def test_every_file_says_what_it_is_for() -> None:
    silent = [name_of(path) for path in SOURCES
              if path.read_text().strip() and not ast.get_docstring(ast.parse(path.read_text()))]
    assert silent == []


@pytest.mark.parametrize("process", PROCESSES)
def test_every_process_can_be_run_and_says_what_happens_when_it_fails(process: str) -> None:
    module = job_module(process)
    assert callable(module.run)
    assert "If it fails" in (module.__doc__ or "") or "the job\nfails" in (module.__doc__ or "")


def test_the_three_packages_are_ours_alone() -> None:
    owners = packages_distributions()
    for package in ("daemon", "processes", "trading"):
        assert set(owners.get(package, ["tradingd"])) == {"tradingd"}


def test_the_shipped_configuration_is_complete() -> None:
    for name in (*FILES, "strategies/example.yaml"):
        assert yaml.safe_load((shipped_folder() / name).read_text())
    shipped = yaml.safe_load((shipped_folder() / "processes.yaml").read_text())["processes"]
    assert list(shipped) == list(PROCESSES)


def commands(group: click.Group, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], click.Command]]:
    """Every command of tradectl with its words."""
    context, found = click.Context(group), []
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if not isinstance(command, click.Group) or command.invoke_without_command:
            found.append(((*path, name), command))
        if isinstance(command, click.Group):
            found += commands(command, (*path, name))
    return found


ALL = commands(tradectl)


@pytest.mark.parametrize(("words", "command"), ALL, ids=[" ".join(words) for words, _ in ALL])
def test_every_command_has_help_and_an_example_of_itself(words: tuple[str, ...], command: click.Command) -> None:
    assert f"Example: tradectl {' '.join(words)}" in (command.help or "")


def test_every_command_has_a_module() -> None:
    assert {words[0] for words, _ in ALL} == set(COMMANDS)


SHOWN = [(path.name, line.strip().removeprefix("sudo ")) for path in DOCUMENTS
         for block in re.findall(r"```console\n(.*?)```", path.read_text(), re.DOTALL)
         for line in block.splitlines() if line.strip()]


@pytest.mark.parametrize(("document", "line"), SHOWN)
def test_every_command_that_a_document_shows_exists(document: str, line: str) -> None:
    words = line.partition("#")[0].split()
    if words[0] == "make":
        assert re.search(rf"^{words[1]}:", (ROOT / "Makefile").read_text(), re.MULTILINE), line
    else:
        assert words[0] == "tradectl"
        while words[1] in ("--config", "--state"):
            del words[1:3]
        known = dict(ALL)
        found = next((known[tuple(words[1:n])] for n in (4, 3, 2) if tuple(words[1:n]) in known), None)
        assert found is not None, line
        options = {option for parameter in found.params for option in parameter.opts}
        assert {word for word in words if word.startswith("-")} <= options, line


def test_documents_name_only_files_that_exist() -> None:
    missing = [(path.name, link) for path in DOCUMENTS for link in re.findall(r"\]\(([^)#:]+)\)", path.read_text())
               if not (path.parent / link).exists()]
    assert missing == []


def test_the_configuration_keys_of_the_system_are_documented() -> None:
    from trading.systems.estimation_config import (
        ForecastThreshold,
        ForecastWeightEstimate,
        RiskOverlay,
        SmallAccount,
        Volatility,
    )
    from trading.systems.system_config import SystemConfig

    text = (ROOT / "docs" / "architecture.md").read_text()
    blocks = (ForecastWeightEstimate, RiskOverlay, SmallAccount, ForecastThreshold, Volatility)
    inner = [key for block in blocks for key in block.model_fields]
    assert [key for key in inner if not re.search(rf"\b{key}\b", text)] == []
    production = {"notional_trading_capital", "base_currency", "timezone"}  # known to the service, not written by hand
    assert [key for key in SystemConfig.model_fields if key not in production and f"`{key}`" not in text] == []


def test_tradectl_starts_without_the_heavy_libraries() -> None:
    code = "import sys, daemon.cli.__main__, daemon.cli.status; print(' '.join(sys.modules))"
    loaded = set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                                cwd=ROOT).stdout.split())
    assert not loaded & {"pymongo", "pandas", "numpy", "pydantic", "structlog", "asyncio", "ib_async", "yaml"}


def test_the_service_loads_nothing_that_computes() -> None:
    code = ("import sys, daemon.__main__, daemon.supervisor; from pathlib import Path; "
            "from daemon.configuration.checked_config import checked_config; checked_config(Path('config')); "
            "print(*sys.modules)")
    loaded = set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                                cwd=ROOT).stdout.split())
    assert not loaded & {"pandas", "scipy", "sklearn", "pyarrow", "matplotlib"}  # numpy comes with the broker's library


NAMES = re.findall(r"^\| `\w+` \| `([\w.]+)` \|$", (ROOT / "docs" / "names.md").read_text(), re.MULTILINE)


@pytest.mark.parametrize("name", NAMES)
def test_every_name_of_the_first_design_lives_where_the_table_says(name: str) -> None:
    from importlib import import_module

    module, _, attribute = name.rpartition(".")
    assert isinstance(getattr(import_module(module), attribute), type)


@pytest.mark.parametrize(("words", "command"), ALL, ids=[" ".join(words) for words, _ in ALL])
def test_every_command_can_answer_in_json(words: tuple[str, ...], command: click.Command) -> None:
    assert "--json" in {option for parameter in command.params for option in parameter.opts}, words
