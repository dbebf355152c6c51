"""tradectl start, stop, restart, reload: the service as a whole, through systemd where its unit is installed."""

import fcntl
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

import click

from daemon.children.worker_identity import identity_of
from daemon.cli.__main__ import Settings
from daemon.cli.asking import reason_option, send
from daemon.cli.output import json_option, tell
from trading.errors import ConfigError, TradingError
from trading.unix_socket import DaemonUnreachable, request

UNIT: Final = "tradingd.service"
UNITS_STATE: Final = Path("/var/lib/tradingd")
_START_WITHIN_S: Final = 90.0
_STOP_WITHIN_S: Final = 180.0
_LAST_WORDS: Final = 20
_WRONG_CONFIGURATION: Final = 2  # the exit code of daemon/__main__.py


class NotStarted(TradingError):
    """The service did not come up."""


@click.command()
@click.option("--data", type=click.Path(path_type=Path, exists=True, file_okay=False),
              help="Recorded prices in pysystemtrade's layout (mode simulated).")
@json_option
@click.pass_obj
def start(settings: Settings, data: Path | None, as_json: bool) -> None:
    """Start the service and wait until it answers.

    Example: tradectl start
    """
    already = _answers(settings)
    if not already:
        _start(settings, data)
    pid = request(settings.places.socket, "GET", "/status")["pid"]
    tell({"running": True, "pid": pid, "was_running": already},
         f"tradingd is running{' already' if already else ''}, pid {pid}. See: tradectl status", as_json)


@click.command()
@click.argument("process", required=False)
@click.option("--timeout", default=_STOP_WITHIN_S, show_default=True, help="Seconds to wait for running jobs.")
@reason_option
@json_option
@click.pass_obj
def stop(settings: Settings, process: str | None, timeout: float, reason: str, as_json: bool) -> None:
    """Stop the service gracefully: running jobs are asked to stop first. With PROCESS: ask only that one to stop.

    Example: tradectl stop
    """
    if process is not None:
        done = send(settings, f"/processes/{process}/stop", reason)
        tell(done, f"{process} was asked to stop; it is killed when its grace is over. See: tradectl status", as_json)
        return
    done = _stop(settings, timeout, quiet=as_json)
    tell(done, "tradingd has stopped." if done["was_running"] else "tradingd is not running.", as_json)


@click.command()
@json_option
@click.pass_obj
def restart(settings: Settings, as_json: bool) -> None:
    """Stop the service, then start it.

    Example: tradectl restart
    """
    was_running = _stop(settings, _STOP_WITHIN_S, quiet=as_json)["was_running"]
    _start(settings, None)
    pid = request(settings.places.socket, "GET", "/status")["pid"]
    tell({"running": True, "pid": pid, "was_running": was_running}, f"tradingd runs again, pid {pid}. See: tradectl "
                                                                    f"status", as_json)


@click.command()
@json_option
@click.pass_obj
def reload(settings: Settings, as_json: bool) -> None:
    """Read the configuration again; a wrong one changes nothing and says file, line and key.

    Example: tradectl reload
    """
    done = send(settings, "/reload", "tradectl reload")
    tell(done, "\n".join(done["lines"]) if done["lines"] else "Nothing changed.", as_json)


def unit_of(state: Path) -> str | None:
    """The unit whose state directory is `state`: that of the one service, or of one of several; None for any other."""
    if state == UNITS_STATE:
        return UNIT
    return f"tradingd@{state.name}.service" if state.parent == UNITS_STATE else None


def _installed_unit(settings: Settings) -> str | None:
    """The unit by which this service is run, if systemd runs this machine and knows it."""
    return known_unit(unit_of(settings.places.state))


def known_unit(unit: str | None) -> str | None:
    """`unit`, if systemd runs this machine and knows it."""
    if unit is None or shutil.which("systemctl") is None:
        return None
    known = subprocess.run(["systemctl", "cat", unit], capture_output=True, check=False)
    return unit if known.returncode == 0 else None


def systemctl(verb: str, unit: str) -> None:
    """Have systemd do it.

    Raises:
        NotStarted: it could not.
    """
    done = subprocess.run(["systemctl", verb, unit], stdout=sys.stderr, check=False)
    if done.returncode != 0:
        raise NotStarted(f"`systemctl {verb} {unit}` failed with code {done.returncode}. "
                         f"See: journalctl -u {unit} -n 50")


def _start(settings: Settings, data: Path | None) -> None:
    unit = _installed_unit(settings)
    if unit is not None:
        systemctl("start", unit)
    else:
        _start_in_background(settings, data)


def _stop(settings: Settings, timeout_s: float, quiet: bool) -> dict[str, Any]:
    """Stop the service and wait for its end; what there was to stop."""
    try:
        status = request(settings.places.socket, "GET", "/status", timeout_s=10)
    except DaemonUnreachable:
        status = None
    unit = None if settings.places.pid_file.exists() else _installed_unit(settings)
    if status is None and unit is None:
        _refuse_silent(settings.places.lock)
        return {"running": False, "was_running": False}
    running = [row["process"] for row in status["processes"] if row["state"] == "RUNNING"] if status else []
    if running and not quiet:
        click.echo(f"Waiting for {', '.join(running)} to stop.")
    if unit is not None:
        systemctl("stop", unit)  # also one that does not answer: systemd then ends it by force
    elif status is not None:
        request(settings.places.socket, "POST", "/shutdown")
        _wait_for_end(int(status["pid"]), timeout_s)
        settings.places.pid_file.unlink(missing_ok=True)
    return {"running": False, "was_running": status is not None, "waited_for": running}


def _refuse_silent(lock: Path) -> None:
    """Raise when a daemon that does not answer holds the state directory all the same."""
    try:
        with lock.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return
    except BlockingIOError as error:
        pid = lock.read_text().strip()
        raise TradingError(f"tradingd (pid {pid}) lives but does not answer, so it cannot be asked to stop. To end it "
                           f"at once, with its jobs: kill -{signal.SIGKILL} {pid}") from error


def _start_in_background(settings: Settings, data: Path | None) -> None:
    places = settings.places
    places.logs.mkdir(parents=True, exist_ok=True)
    places.pid_file.parent.mkdir(parents=True, exist_ok=True)
    words = [sys.executable, "-m", "daemon", "--verbose", "--config", str(settings.config_folder), "--state",
             str(places.state), *(("--data", str(data)) if data else ())]
    with places.service_log.open("ab") as output:
        begin = output.tell()
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                   start_new_session=True)
    places.pid_file.write_text(f"{process.pid}\n")
    deadline_s = time.monotonic() + _START_WITHIN_S
    while not _answers(settings):
        if process.poll() is not None or time.monotonic() > deadline_s:
            places.pid_file.unlink(missing_ok=True)
            kind = ConfigError if process.poll() == _WRONG_CONFIGURATION else NotStarted
            raise kind(f"tradingd did not start: {words_since(places.service_log, begin)} (log: {places.service_log})")
        time.sleep(0.05)


def _answers(settings: Settings) -> bool:
    """Whether the service has come up: it leads, or stands by."""
    try:
        return request(settings.places.socket, "GET", "/status", timeout_s=5)["service"] in ("running", "standby")
    except DaemonUnreachable:
        return False


def _wait_for_end(pid: int, timeout_s: float) -> None:
    deadline_s = time.monotonic() + timeout_s
    while identity_of(pid) is not None:
        if time.monotonic() > deadline_s:
            raise TradingError(f"tradingd (pid {pid}) still stops after {timeout_s:g} s. See: tradectl status; to end "
                               f"it at once: kill -{signal.SIGKILL} {pid}")
        time.sleep(0.05)


def words_since(log: Path, begin: int) -> str:
    """The last of what the daemon has said since its log was `begin` bytes long."""
    lines = log.read_bytes()[begin:].decode(errors="replace").strip("\n").splitlines()
    return "\n".join(lines[-_LAST_WORDS:]) or "it said nothing"


COMMANDS = {"start": start, "stop": stop, "restart": restart, "reload": reload}
