"""tradectl doctor: is everything in place, and if not, what to do about it."""

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass

import click

from daemon.cli.__main__ import Settings, of_a_file
from daemon.cli.output import json_option, print_json
from trading.errors import TradingError


@dataclass(frozen=True)
class Finding:
    """One check: whether it passed, and one sentence."""

    check: str
    passed: bool
    finding: str


@click.command()
@json_option
@click.pass_obj
def doctor(settings: Settings, as_json: bool) -> int:
    """Check installation, configuration, store, daemon and broker; the exit code is 1 when something is wrong.

    Example: tradectl doctor
    """
    checks = {"python": _python, "configuration": _configuration, "disk": _disk, "store": _store, "daemon": _daemon,
              "watchdog": _watchdog}
    findings = [_checked(name, check, settings) for name, check in checks.items()]
    if as_json:
        print_json([vars(finding) for finding in findings])
    else:
        for finding in findings:
            click.echo(f"{'ok  ' if finding.passed else 'FAIL'}  {finding.check:<14} {finding.finding}")
    return 0 if all(finding.passed for finding in findings) else 1


def _checked(name: str, check: Callable[[Settings], str], settings: Settings) -> Finding:
    try:
        return Finding(name, True, check(settings))
    except TradingError as error:
        return Finding(name, False, str(error))
    except OSError as error:
        return Finding(name, False, of_a_file(error))


def _python(_settings: Settings) -> str:
    return f"Python {sys.version.split()[0]} at {sys.executable}"


def _configuration(settings: Settings) -> str:
    from daemon.cli.config_desk import Desk

    desk = Desk.of(settings)
    config = desk.checked_by_the_service(desk.texts()).config
    return (f"{desk.folder}: mode {config.service.mode}, {len(config.processes)} processes, strategies "
            f"{', '.join(config.strategies)}")


def _disk(settings: Settings) -> str:
    settings.places.state.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(settings.places.state).free / 2**30
    if free < 1:
        raise TradingError(f"Only {free:.1f} GiB are free under {settings.places.state}; the store needs room. "
                           f"Free some, or choose another directory with --state.")
    return f"{free:.0f} GiB free under {settings.places.state}"


def _store(settings: Settings) -> str:
    from daemon.cli.store import opened_store
    from trading.config import Mode
    from trading.data.mongo.schema import SCHEMA_VERSION

    with opened_store(settings) as (store, config):
        version = store.client.server_info()["version"]
        embedded = config.service.mongo.uri is None
        if embedded and config.service.mode is Mode.LIVE:
            raise TradingError("Real money on the embedded store: its authors call it a beta. Set mongo.uri in "
                               "tradingd.yaml to a MongoDB replica set.")
        kind = "embedded (its authors call it a beta; for real money set mongo.uri)" if embedded else "configured"
        return f"{kind}, protocol {version}, database {store.database.name}, schema {SCHEMA_VERSION}"


def _daemon(settings: Settings) -> str:
    from trading.unix_socket import DaemonUnreachable, request

    try:
        status = request(settings.places.socket, "GET", "/status", timeout_s=5)
    except DaemonUnreachable:
        return "not running (start it: tradectl start)"
    link = status["broker"]
    if link["link"] != "ready":
        raise TradingError(f"The daemon runs, but its broker link is {link['link']} ({link['reason']}).")
    return f"running, pid {status['pid']}, broker link ready"


def _watchdog(settings: Settings) -> str:
    """Real money is not left to one process that may be killed."""
    from daemon.cli.watchdog import holder
    from trading.config import Mode, load_config

    pid = holder(settings.places)
    if pid is not None:
        return f"running, pid {pid} (what it sees: tradectl watchdog status)"
    if load_config(settings.config_folder).service.mode is Mode.LIVE:
        raise TradingError("Real money without a watchdog: when the service is killed, nobody cancels what it leaves "
                           "at the broker. Start it: tradectl watchdog start")
    return "not running (start it: tradectl watchdog start)"


COMMANDS = {"doctor": doctor}
