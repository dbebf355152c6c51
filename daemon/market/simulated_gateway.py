"""The simulated gateway as a process: recorded data in, TWS API out. Knows nothing of the daemon's database."""

import argparse
import asyncio
import logging
import os
import sys
from dataclasses import replace
from datetime import datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

from trading.broker.simulated.faults.scenario import read_scenario
from trading.broker.simulated.recorded_market import RecordedInstrument, RecordedMarket
from trading.broker.simulated.server import serve
from trading.broker.simulated.settings import GatewaySettings
from trading.broker.simulated.world import read_executions, read_orders
from trading.clock import OFFSET_VARIABLE, clock_as_of, inherited_clock
from trading.data.csv.pysystemtrade import PysystemtradeFolder
from trading.errors import DataError, TradingError


def main() -> None:
    """Serve until stopped."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")
    flags = _parser().parse_args()
    settings = GatewaySettings(port=flags.port, account=flags.account, starting_cash=flags.cash, zone=flags.zone,
                               max_version=flags.max_version, state=flags.state, tif_preset=flags.tif_preset,
                               lots=flags.lots, more_accounts=tuple(flags.more_account))
    try:
        if flags.scenario is not None:
            settings = replace(settings, faults=read_scenario(flags.scenario))
        market = recorded_market(flags.data, ZoneInfo(flags.zone))
        clock = clock_as_of(opening(market, flags)) if OFFSET_VARIABLE not in os.environ else inherited_clock()
        asyncio.run(serve(market, settings, clock, lambda port: print(f"listening on {port}", flush=True)))
    except TradingError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    except OSError as error:
        print(f"Port {settings.port} cannot be used: {error.strerror or error}. Stop what listens there, or choose "
              f"another one: --port 0 takes a free one.", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(0)


def opening(market: RecordedMarket, flags: argparse.Namespace) -> datetime:
    """When the gateway begins: as it is told, else at noon of the last recorded day, never before what it remembers."""
    last = flags.as_of or datetime.combine(market.last_print().astimezone(ZoneInfo(flags.zone)).date(), time(12),
                                           ZoneInfo(flags.zone))
    return max([last, *(order.placed_at for order in read_orders(flags.state)),
                *(fill.time for fill in read_executions(flags.state))])


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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tradectl sim start")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--port", type=int, default=4002)
    parser.add_argument("--account", default="DU0000001")
    parser.add_argument("--cash", type=float, default=5_000_000.0)
    parser.add_argument("--zone", default="Europe/London")
    parser.add_argument("--max-version", type=int, default=178)
    parser.add_argument("--scenario", type=Path)
    parser.add_argument("--as-of", type=datetime.fromisoformat)
    parser.add_argument("--lots", type=int, default=100)
    parser.add_argument("--tif-preset", action="store_true")
    parser.add_argument("--more-account", action="append", default=[])
    return parser


if __name__ == "__main__":
    main()
