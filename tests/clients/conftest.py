"""One tour a client: driven once, then judged case by case."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from client_table import CLIENTS, DRIVERS, ForeignClient
from gateway_process import GatewayProcess
from report import CaseReport, report_of
from tour_report import TourReport

from trading.data.csv.sample_markets import write_sample_markets

TOUR_S = 120.0
FIRST = ("c01_connect", "c02_startup_sync", "c06_contract_details")  # what the others stand on
LAST = "c31_before_the_restart"
AFTER_THE_RESTART = ("c31_after_the_restart", "c32_midnight")


@pytest.fixture(scope="session")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("market")
    write_sample_markets(folder, 7)
    _list_a_mini(folder)
    return folder


@pytest.fixture(scope="module", params=CLIENTS, ids=str)
def tour(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, market: Path) -> TourReport:
    client = request.param
    assert client.python.exists(), f"{client.python} is missing: run make test-clients"
    gateway = GatewayProcess(tmp_path_factory.mktemp("gw"), market, *client.gateway_flags)
    try:
        said, heard = _driven(client, gateway, _cases(client))
        gateway.restart()
        said_later, heard_later = _driven(client, gateway, AFTER_THE_RESTART)
    finally:
        gateway.kill()
    return TourReport(client=client, cases={**heard_later, **heard}, said=said + said_later, log=gateway.log())


@pytest.fixture
def gateway(tmp_path: Path, market: Path) -> Iterator[GatewayProcess]:
    """One that a raw socket may treat badly."""
    process = GatewayProcess(tmp_path, market)
    yield process
    process.kill()


def _list_a_mini(folder: Path) -> None:
    """A tenth of BR, which differs from it in the multiplier alone."""
    for name, wide, small in (("csvconfig/instrumentconfig.csv", "BRAVO,20.0,", "BRAVO_mini,2.0,"),
                              ("csvconfig/rollconfig.csv", "BRAVO,", "BRAVO_mini,"),
                              ("ib_config/ib_config_futures.csv", "BRAVO,BR,CME,USD,20.0,",
                               "BRAVO_mini,BR,CME,USD,2.0,")):
        text = (folder / name).read_text()
        row, = (line for line in text.splitlines() if line.startswith(wide))
        (folder / name).write_text(f"{text}{small}{row.removeprefix(wide)}\n")
    shutil.copy(folder / "multiple_prices_csv" / "BRAVO.csv", folder / "multiple_prices_csv" / "BRAVO_mini.csv")


def _cases(client: ForeignClient) -> tuple[str, ...]:
    every = _names()
    middle = [name for name in every if name not in (*FIRST, LAST, *AFTER_THE_RESTART) and client.takes(name)]
    return (*FIRST, *middle, LAST)


def _names() -> list[str]:
    """The cases by name, as the drivers' files define them; those files belong to other interpreters."""
    lines = [line for path in DRIVERS.glob("cases_*.py") for line in path.read_text().splitlines()]
    return sorted(line[4:line.index("(")] for line in lines if line.startswith("def c"))


def _driven(client: ForeignClient, gateway: GatewayProcess,
            cases: tuple[str, ...]) -> tuple[str, dict[str, CaseReport]]:
    """What the driver said, and its reports; a driver that hangs has said what it did until then."""
    command = [str(client.python), str(client.driver), "127.0.0.1", str(gateway.port), str(gateway.state), *cases,
               *filter(None, [client.library])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env={**os.environ, "TZ": "UTC"}) as process:
        try:
            out, errors = process.communicate(timeout=TOUR_S)
        except subprocess.TimeoutExpired:
            process.kill()
            out, errors = process.communicate()
    reports = [report_of(line) for line in out.splitlines() if line.startswith("{")]
    return errors, {report.case: report for report in reports}
