"""tradectl start, stop, restart, reload: the service as a whole, through systemd where its unit is installed."""

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import click

from daemon.cli.__main__ import Settings
from daemon.cli.asking import reason_option, send
from daemon.cli.output import json_option, tell
from daemon.worker_identity import identity_of
from trading.errors import TradingError
from trading.unix_socket import DaemonUnreachable, request

UNIT: Final = "tradingd.service"
_START_WITHIN_S: Final = 90.0


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
    if not already and unit_installed():
        _systemctl("start")
    elif not already:
        _start_in_background(settings, data)
    pid = request(settings.places.socket, "GET", "/status")["pid"]
    tell({"running": True, "pid": pid, "was_running": already},
         f"tradingd is running{' already' if already else ''}, pid {pid}. See: tradectl status", as_json)


@click.command()
@click.argument("process", required=False)
@click.option("--timeout", default=180.0, show_default=True, help="Seconds to wait for running jobs.")
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
    if unit_installed() and not settings.places.pid_file.exists():
        _systemctl("stop")
        return
    try:
        status = request(settings.places.socket, "GET", "/status", timeout_s=10)
    except DaemonUnreachable:
        tell({"running": False, "was_running": False}, "tradingd is not running.", as_json)
        return
    running = [row["process"] for row in status["processes"] if row["state"] == "RUNNING"]
    if running and not as_json:
        click.echo(f"Waiting for {', '.join(running)} to stop.")
    request(settings.places.socket, "POST", "/shutdown")
    _wait_for_end(int(status["pid"]), timeout)
    settings.places.pid_file.unlink(missing_ok=True)
    tell({"running": False, "was_running": True, "waited_for": running}, "tradingd has stopped.", as_json)


@click.command()
@json_option
@click.pass_context
def restart(ctx: click.Context, as_json: bool) -> None:
    """Stop the service, then start it.

    Example: tradectl restart
    """
    ctx.invoke(stop, process=None, timeout=180.0, reason="", as_json=False)
    ctx.invoke(start, data=None, as_json=as_json)


@click.command()
@json_option
@click.pass_obj
def reload(settings: Settings, as_json: bool) -> None:
    """Read the configuration again; a wrong one changes nothing and says file, line and key.

    Example: tradectl reload
    """
    done = send(settings, "/reload", "tradectl reload")
    tell(done, "\n".join(done["lines"]) if done["lines"] else "Nothing changed.", as_json)


def unit_installed() -> bool:
    """Whether systemd runs this machine and knows our unit."""
    if not Path("/run/systemd/system").is_dir() or shutil.which("systemctl") is None:
        return False
    known = subprocess.run(["systemctl", "cat", UNIT], capture_output=True, check=False)
    return known.returncode == 0


def _systemctl(verb: str) -> None:
    done = subprocess.run(["systemctl", verb, UNIT], check=False)
    if done.returncode != 0:
        raise NotStarted(f"`systemctl {verb} {UNIT}` failed with code {done.returncode}. "
                         f"See: journalctl -u {UNIT} -n 50")


def _start_in_background(settings: Settings, data: Path | None) -> None:
    places = settings.places
    places.logs.mkdir(parents=True, exist_ok=True)
    places.pid_file.parent.mkdir(parents=True, exist_ok=True)
    words = [sys.executable, "-m", "daemon", "--verbose", "--config", str(settings.config_folder), "--state",
             str(places.state), *(("--data", str(data)) if data else ())]
    with places.service_log.open("ab") as output:
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                   start_new_session=True)
    places.pid_file.write_text(f"{process.pid}\n")
    deadline_s = time.monotonic() + _START_WITHIN_S
    while not _answers(settings):
        if process.poll() is not None or time.monotonic() > deadline_s:
            places.pid_file.unlink(missing_ok=True)
            raise NotStarted(f"tradingd did not start: {_last_words(places.service_log)} (log: {places.service_log})")
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


def _last_words(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"


COMMANDS = {"start": start, "stop": stop, "restart": restart, "reload": reload}
