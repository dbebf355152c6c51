"""The simulated gateway as a process: recorded data in, TWS API out. Knows nothing of the daemon's database."""

import argparse
import asyncio
import logging
import os
import sys
from dataclasses import replace
from datetime import datetime, time
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from trading.broker.simulated.options import options_of
from trading.broker.simulated.read_only import ReadOnly
from trading.broker.simulated.recorded_market import RecordedInstrument, RecordedMarket
from trading.broker.simulated.scenario import read_scenario
from trading.broker.simulated.server import serve
from trading.broker.simulated.settings import GatewaySettings
from trading.broker.simulated.world import read_executions, read_orders
from trading.clock import OFFSET_VARIABLE, clock_as_of, inherited_clock
from trading.data.csv.pysystemtrade import PysystemtradeFolder
from trading.errors import DataError, TradingError

SETTINGS: Final = ("account", "starting_cash", "zone", "lots", "tif_preset", "more_accounts", "read_only", "real_hours")


def main() -> None:
    """Serve until stopped."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")
    flags = parser().parse_args()
    try:
        settings = settings_of(flags)
        market = recorded_market(flags.data, settings.tz)
        clock = inherited_clock() if OFFSET_VARIABLE in os.environ else clock_as_of(opening(market, settings,
                                                                                            flags.as_of))
        asyncio.run(serve(market, settings, clock, lambda port: print(f"listening on {port}", flush=True)))
    except TradingError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    except OSError as error:
        print(f"Port {flags.port} cannot be used: {error.strerror or error}. Stop what listens there, or choose "
              f"another one: --port 0 takes a free one.", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(0)


def settings_of(flags: argparse.Namespace) -> GatewaySettings:
    """What the scenario says, and over it what the command line does.

    Raises:
        ConfigError: one of them is wrong.
    """
    settings = GatewaySettings(state=flags.state, port=flags.port, max_version=flags.max_version)
    if flags.scenario is not None:
        scenario = read_scenario(flags.scenario)
        settings = replace(scenario.options.applied(settings), faults=scenario.faults)
    given = {name: value for name, value in vars(flags).items() if name in SETTINGS and value is not None}
    return options_of(given).applied(settings)


def opening(market: RecordedMarket, settings: GatewaySettings, as_of: datetime | None) -> datetime:
    """When the gateway begins: as it is told, else at noon of the last recorded day, never before what it remembers."""
    last = as_of or datetime.combine(market.last_print().astimezone(settings.tz).date(), time(12), settings.tz)
    return max([last, *(order.placed_at for order in read_orders(settings.state)),
                *(fill.time for fill in read_executions(settings.state))])


def recorded_market(folder: Path, zone: ZoneInfo) -> RecordedMarket:
    """Everything in `folder` that can be traded; a malformed file is left out with a line in the log.

    Raises:
        DataError: nothing at all can be traded.
    """
    source = PysystemtradeFolder(folder, zone)
    instruments, rolls = source.instruments(), source.roll_parameters()
    names = source.broker_instruments(instruments)
    recorded = []
    for code, path in source.files("multiple_prices_csv").items():
        if code not in instruments or code not in rolls or code not in names:
            logging.warning("%s is left out: it has no instrument, roll or broker configuration", code)
            continue
        try:
            prices = source.multiple_prices(path).frame
        except DataError as error:
            logging.warning("%s is left out: %s", code, error)
            continue
        recorded.append(RecordedInstrument(instrument=instruments[code], broker=names[code], rolls=rolls[code],
                                           prices=prices))
    if not recorded:
        raise DataError(f"{folder} holds no instrument that could be traded.")
    pairs = source.currency_pairs()
    fx = {pairs[code]: source.fx_prices(path).frame["PRICE"] for code, path in source.files("fx_prices_csv").items()
          if code in pairs}
    return RecordedMarket(recorded, fx)


def parser() -> argparse.ArgumentParser:
    """The command line; a setting that is not given is None, so that the scenario's stands."""
    parser = argparse.ArgumentParser(prog="tradectl sim start")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--port", type=int, default=4002)
    parser.add_argument("--account")
    parser.add_argument("--cash", dest="starting_cash", type=float)
    parser.add_argument("--zone")
    parser.add_argument("--max-version", type=int, default=178)
    parser.add_argument("--scenario", type=Path)
    parser.add_argument("--as-of", type=datetime.fromisoformat)
    parser.add_argument("--lots", type=int)
    parser.add_argument("--tif-preset", action="store_const", const=True)
    parser.add_argument("--more-account", dest="more_accounts", action="append")
    parser.add_argument("--read-only", choices=list(ReadOnly))
    parser.add_argument("--real-hours", action="store_const", const=True)
    return parser


if __name__ == "__main__":
    main()
