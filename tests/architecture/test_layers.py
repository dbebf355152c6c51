"""Who may import whom and who may read a clock: rules that import-linter cannot say, checked on the source itself."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("daemon", "processes", "trading")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
JOB_CHILDREN = {"daemon/worker_main.py", "daemon/children/zygote.py"}
CLOCK_READERS = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns"}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def calls_of(path: Path) -> Iterator[ast.Call]:
    return (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))


def importers(library: str) -> set[str]:
    return {name_of(path) for path in MODULES
            if any(module == library or module.startswith(f"{library}.") for module in imports_of(path))}


def test_the_brokers_library_is_imported_in_one_module() -> None:
    assert importers("ib_async") == {"trading/broker/ib/library.py"}


def test_nobody_imports_the_archived_library() -> None:
    assert importers("ib_insync") == set()


def test_only_the_clock_reads_the_wall_clock() -> None:
    readers = {name_of(path) for path in MODULES for call in calls_of(path) if ast.unparse(call.func) in CLOCK_READERS}
    assert readers == {"trading/clock.py"}


def test_no_reading_of_the_clock_is_naive() -> None:
    naive = [f"{name_of(path)}:{call.lineno}" for path in MODULES for call in calls_of(path)
             if ast.unparse(call.func).endswith(("datetime.now", "fromtimestamp")) and not (call.args[-1:]
                                                                                         or call.keywords)]
    assert naive == []


def test_the_daemon_names_jobs_but_only_the_workers_child_imports_one() -> None:
    jobs = {f"processes.{path.stem}" for path in (ROOT / "processes").glob("*.py")} - {
        "processes.__init__", "processes.registry", "processes.job"}
    guilty = {name_of(path) for path in (ROOT / "daemon").rglob("*.py") if jobs & set(imports_of(path))}
    assert guilty <= JOB_CHILDREN


def test_no_process_imports_another() -> None:
    from processes.registry import PROCESSES

    for name in PROCESSES:
        others = {f"processes.{other}" for other in PROCESSES if other != name}
        assert not others & set(imports_of(ROOT / "processes" / f"{name}.py")), name


def test_every_process_has_a_module_a_schedule_and_a_docstring_that_says_what_a_failure_means() -> None:
    from processes.registry import PROCESSES
    from trading.config import load_config

    assert set(load_config(ROOT / "config").processes) == set(PROCESSES)
    for name in PROCESSES:
        purpose = ast.get_docstring(ast.parse((ROOT / "processes" / f"{name}.py").read_text())) or ""
        assert "Reads" in purpose, name
        assert "fail" in purpose, name


@pytest.mark.parametrize("room", ["daemon/decisions", *(f"trading/{name}" for name in (
    "objects", "quant", "risk", "control", "execution", "systems"))])
def test_the_thinking_rooms_do_no_input_or_output(room: str) -> None:
    forbidden = {"pymongo", "socket", "asyncio", "requests", "http", "subprocess", "sqlite3", "threading"}
    guilty = {f"{name_of(path)}: {module}" for path in (ROOT / room).rglob("*.py")
              for module in imports_of(path) if module.partition(".")[0] in forbidden}
    assert guilty == set()


def test_nothing_below_the_daemon_is_async_but_the_seam_and_the_simulated_gateway() -> None:
    coloured = {name_of(path) for path in MODULES if not name_of(path).startswith("daemon/")
                and any(isinstance(node, (ast.AsyncFunctionDef, ast.Await)) for node in ast.walk(ast.parse(
                    path.read_text())))}
    allowed = ("trading/broker/ib/", "trading/broker/simulated/")
    assert [name for name in coloured if not name.startswith(allowed)] == []


def test_no_shell_no_pickle_no_unsafe_yaml() -> None:
    forbidden = {"pickle", "shelve", "dill", "cloudpickle", "marshal"}
    assert [name_of(path) for path in MODULES if forbidden & set(imports_of(path))] == []
    shells = [f"{name_of(path)}:{call.lineno}" for path in MODULES for call in calls_of(path)
              if any(keyword.arg == "shell" for keyword in call.keywords)
              or ast.unparse(call.func) in ("os.system", "os.popen", "yaml.load", "eval", "exec")]
    assert shells == []


def test_every_module_says_what_it_is_for() -> None:
    silent = [name_of(path) for path in MODULES if path.read_text().strip() and not ast.get_docstring(
        ast.parse(path.read_text()))]
    assert silent == []


def test_three_packages_and_the_shipped_configuration_go_into_the_wheel() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert tuple(wheel["packages"]) == PACKAGES
    assert wheel["force-include"]["config"] == "trading/shipped_files/config"
    assert set(project["project"]["scripts"]) == {"tradingd", "tradingd-watchdog", "tradectl"}


def test_the_shipped_configuration_is_complete() -> None:
    from trading.config import FILES

    assert {path.name for path in (ROOT / "config").iterdir()} == {*FILES, "strategies"}
    assert {path.name for path in (ROOT / "config" / "strategies").iterdir()} == {"example.yaml"}
