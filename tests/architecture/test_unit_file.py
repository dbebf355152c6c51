"""The systemd units: what they promise, what systemd itself thinks of them, and that they fit to each other."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from daemon.__main__ import _parser
from daemon.cli.__main__ import COMMANDS
from daemon.watchdog.__main__ import _parser as _watchdog_parser
from trading.config import MONGO_URI_VARIABLE

ROOT = Path(__file__).resolve().parents[2]
SYSTEMD = ROOT / "systemd"
SERVICES = ("tradingd.service", "tradingd@.service")
WATCHDOGS = ("tradingd-watchdog.service", "tradingd-watchdog@.service")
UNITS = (*SERVICES, *WATCHDOGS)
MOST_EXPOSURE = 16  # tenths, as --threshold counts
WRONG_CONFIGURATION = "2"  # the exit code of daemon/__main__.py

needs_systemd_analyze = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None and "CI" not in os.environ,
    reason="systemd-analyze is not installed here (Debian package systemd)")


def options(unit: str) -> dict[str, list[str]]:
    """Every option of a unit with its values, in order."""
    found: dict[str, list[str]] = {}
    for line in (SYSTEMD / unit).read_text().splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def checkable(folder: Path, unit: str) -> Path:
    """A copy whose programs exist on every machine, since `verify` looks for them."""
    text = re.sub(r"/opt/tradingd/bin/[\w-]+", "/bin/true", (SYSTEMD / unit).read_text())
    copy = folder / unit.replace("@.", "@paper.")
    copy.write_text(text)
    return copy


@pytest.mark.parametrize(("name", "value"), [
    ("Type", "notify"), ("NotifyAccess", "main"), ("KillMode", "mixed"), ("WatchdogSec", "30s"),
    ("WatchdogSignal", "SIGABRT"), ("Restart", "always"), ("RestartPreventExitStatus", WRONG_CONFIGURATION),
    ("NoNewPrivileges", "yes"), ("CapabilityBoundingSet", ""), ("User", "tradingd")])
def test_what_the_service_relies_on_is_said(name: str, value: str) -> None:
    assert options("tradingd.service")[name] == [value]


def test_the_rest_of_proc_stays_visible_because_a_worker_is_known_by_the_boot_id() -> None:
    assert "ProcSubset" not in options("tradingd.service")


def test_a_group_for_each_run_needs_a_control_group_tree_that_can_be_written() -> None:
    found = options("tradingd.service")
    assert found["Delegate"] == ["memory pids"]
    assert "ProtectControlGroups" not in found


def test_the_folder_of_the_configuration_can_be_written_by_the_daemon() -> None:
    found = options("tradingd.service")
    assert found["ProtectSystem"] == ["strict"]
    assert found["ReadWritePaths"] == ["-/etc/tradingd"]


def test_the_watchdog_is_bound_to_nothing_of_the_service() -> None:
    found = options("tradingd-watchdog.service")
    bonds = {"BindsTo", "PartOf", "Requires", "Requisite", "PropagatesStopTo", "StopPropagatedFrom"}
    assert bonds & found.keys() == set()
    assert "tradingd.service" not in " ".join(found["After"] + found["Wants"])


@pytest.mark.parametrize("name", ["Type", "User", "Group", "Restart", "RestartPreventExitStatus", "WatchdogSec",
                                  "StateDirectory"])
def test_the_watchdog_is_run_like_the_service(name: str) -> None:
    assert options("tradingd-watchdog.service")[name] == options("tradingd.service")[name]


def test_the_watchdog_is_confined_at_least_as_tightly_as_the_service() -> None:
    text = (SYSTEMD / "tradingd.service").read_text().partition("\nNoNewPrivileges")[2].partition("\n[Install]")[0]
    lines = f"NoNewPrivileges{text}".splitlines()
    hardening = {line.partition("=")[0] for line in lines if "=" in line and not line.startswith("#")}
    watchdog, service = options("tradingd-watchdog.service"), options("tradingd.service")
    assert len(hardening) > 15
    assert {name for name in hardening if watchdog.get(name) != service[name]} == set()
    assert "ReadWritePaths" not in watchdog


@pytest.mark.parametrize("unit", WATCHDOGS)
def test_the_flags_of_the_watchdog_exist(unit: str) -> None:
    known = {flag for action in _watchdog_parser()._actions for flag in action.option_strings}
    command = options(unit)["ExecStart"][0]
    assert set(re.findall(r" (--[a-z]+)", command)) <= known
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert command.split()[0].rpartition("/")[2] in project["scripts"]


@pytest.mark.parametrize("unit", SERVICES)
def test_the_commands_of_a_unit_exist(unit: str) -> None:
    found = options(unit)
    known = {flag for action in _parser()._actions for flag in action.option_strings}
    assert set(re.findall(r" (--[a-z]+)", found["ExecStart"][0])) <= known
    program, *words = found["ExecReload"][0].split()
    assert program.endswith("/tradectl")
    assert words[-1] in COMMANDS


def test_a_reload_looks_where_the_service_lives() -> None:
    found = options("tradingd.service")
    for flag in ("--config", "--state"):
        assert re.findall(rf"{flag} (\S+)", found["ExecStart"][0]) == re.findall(rf"{flag} (\S+)",
                                                                                found["ExecReload"][0])


@pytest.mark.parametrize(("unit", "description"), [
    ("tradingd", "tradingd, the production side of a systematic futures trading firm"),
    ("tradingd-watchdog", "tradingd-watchdog, which watches over tradingd at the broker")])
def test_the_template_says_the_same_as_the_unit_for_one_of_several(unit: str, description: str) -> None:
    text = (SYSTEMD / f"{unit}.service").read_text()
    for one, several in (
            (description, f"{unit} (%i), one of several on this machine"),
            ("/etc/tradingd", "/etc/tradingd/%i"), ("/var/lib/tradingd", "/var/lib/tradingd/%i"),
            ("StateDirectory=tradingd", "StateDirectory=tradingd/%i"),
            ("ConfigurationDirectory=tradingd", "ConfigurationDirectory=tradingd/%i"),
            ("/etc/credstore/tradingd.", "/etc/credstore/tradingd-%i.")):
        text = text.replace(one, several)
    assert (SYSTEMD / f"{unit}@.service").read_text() == text


def test_the_credentials_that_the_unit_offers_are_those_that_we_read() -> None:
    offered = set(re.findall(r"^#LoadCredential=(\w+):", (SYSTEMD / "tradingd.service").read_text(), re.MULTILINE))
    sources = [path.read_text() for package in ("daemon", "trading") for path in (ROOT / package).rglob("*.py")]
    read = {name for source in sources for name in re.findall(r'\bsecret\(f?"(?:\{\w+\})?(\w+)"', source)}
    assert offered - read <= {MONGO_URI_VARIABLE.removeprefix("TRADINGD_").lower()}


@needs_systemd_analyze
@pytest.mark.parametrize("unit", UNITS)
def test_systemd_has_nothing_to_say_about_a_unit(unit: str, tmp_path: Path) -> None:
    checked = subprocess.run(["systemd-analyze", "verify", str(checkable(tmp_path, unit))], capture_output=True,
                             text=True, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")  # an unknown option alone exits with 0


@needs_systemd_analyze
def test_systemd_would_have_told_a_wrong_option(tmp_path: Path) -> None:
    unit = checkable(tmp_path, "tradingd.service")
    unit.write_text(unit.read_text().replace("Type=notify", "Type=notifi"))
    checked = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    assert "notifi" in checked.stderr


@needs_systemd_analyze
@pytest.mark.parametrize("unit", UNITS)
def test_little_is_exposed(unit: str, tmp_path: Path) -> None:
    rated = subprocess.run(["systemd-analyze", "security", "--offline=true", f"--threshold={MOST_EXPOSURE}",
                            str(checkable(tmp_path, unit))], capture_output=True, text=True, check=False)
    assert rated.returncode == 0, rated.stdout[-300:]


def test_the_reload_by_signal_takes_the_reload_by_command_away() -> None:
    found = options("notify-reload.conf")
    assert found == {"Type": ["notify-reload"], "ReloadSignal": ["SIGHUP"], "ExecReload": [""]}


def test_the_account_is_the_one_of_the_unit() -> None:
    found = options("tradingd.service")
    assert f"\nu {found['User'][0]} - " in (SYSTEMD / "tradingd.sysusers.conf").read_text()


def test_the_folders_of_a_package_are_those_of_the_unit() -> None:
    lines = [line.split() for line in (SYSTEMD / "tradingd.tmpfiles.conf").read_text().splitlines()
             if line.startswith("d ")]
    modes = {path: (mode, owner) for _, path, mode, owner, *_ in lines}
    found = options("tradingd.service")
    assert modes["/var/lib/tradingd"] == (found["StateDirectoryMode"][0], "tradingd")
    assert modes["/etc/tradingd"] == modes["/etc/tradingd/strategies"] == (
        found["ConfigurationDirectoryMode"][0], "root")


def test_an_installation_below_another_root_touches_nothing_else(tmp_path: Path) -> None:
    # given a configuration that is there already
    config = tmp_path / "root" / "srv" / "config"
    config.mkdir(parents=True)
    (config / "processes.yaml").write_text("processes: {}\n")

    # when
    subprocess.run([ROOT / "deploy" / "install.sh"], check=True, capture_output=True, env=os.environ | {
        "ROOT": str(tmp_path / "root"), "PREFIX": "/srv/tradingd", "CONFIG": "/srv/config"})

    # then it is kept, and the units say where everything lies
    assert (config / "processes.yaml").read_text() == "processes: {}\n"
    assert (config / "tradingd.yaml").read_text() == (ROOT / "config" / "tradingd.yaml").read_text()

    # and no example may ever trade beside a strategy of the owner's; it lies where it can be copied from
    assert list((config / "strategies").iterdir()) == []
    documents = tmp_path / "root" / "srv" / "tradingd" / "share" / "doc" / "tradingd"
    assert (documents / "config" / "strategies" / "example.yaml").is_file()
    units = tmp_path / "root" / "etc" / "systemd" / "system"
    assert sorted(unit.name for unit in units.iterdir()) == sorted(UNITS)
    for unit in units.iterdir():
        assert "/opt/tradingd" not in unit.read_text()
        program = "tradingd-watchdog" if unit.name in WATCHDOGS else "tradingd"
        assert f"/srv/tradingd/bin/{program} --verbose --config /srv/config" in unit.read_text()
