"""tradingd: the service itself. Flags, configuration, run; an exit code.

0 done, 1 failed, 2 wrong usage or configuration, 75 the store does not answer (it may later), 130 interrupted during a
day that was to be run once.
"""

import argparse
import asyncio
import faulthandler
import os
import signal
import sys
from pathlib import Path
from types import FrameType

from daemon.children.zygote_process import ZygoteProcess, start_zygote
from daemon.places import Places, add_place_flags
from trading.errors import ConfigError, StopRequested, StoreUnreachable, TradingError

_STORE_AWAY = 75  # EX_TEMPFAIL of sysexits.h


def main() -> None:
    """Entry point of `tradingd` and of `python -m daemon`."""
    sys.exit(run(sys.argv[1:]))


def run(words: list[str]) -> int:
    """Run the service as `words` ask; its exit code."""
    for number in (signal.SIGTERM, signal.SIGINT):  # until the supervisor listens
        signal.signal(number, _stop_early)
    faulthandler.enable()  # a watchdog that ends us by SIGABRT leaves the stacks of all threads in the log
    flags = _parser().parse_args(words)
    try:
        zygote = start_zygote()
    except OSError as error:
        print(f"The machine has no room for a process of tradingd: {error}.", file=sys.stderr)
        return 1
    try:
        return _serve(flags, Places(flags.state.resolve()), zygote)
    finally:
        zygote.end()


def _stop_early(number: int, _frame: FrameType | None) -> None:
    """Nothing has begun that would have to be ended well, and the zygote dies with us.

    An exception would be lost if the signal came within a callback of the garbage collector, as while importing.
    """
    os._exit(0 if number == signal.SIGTERM else 130)


def _serve(flags: argparse.Namespace, places: Places, zygote: ZygoteProcess) -> int:
    from pymongo.errors import PyMongoError

    from daemon.configuration.boot import boot_from
    from daemon.market.recorded_market import Wishes
    from daemon.speech import speak_without_waiting
    from daemon.supervisor import Supervisor
    from trading.log import get_log

    say = speak_without_waiting(verbose=flags.verbose)
    try:
        boot = boot_from(flags.config, places, strict=flags.strict or flags.day)
        wishes = Wishes(play_day=flags.day, once=flags.once, again=flags.again, data=flags.data)
        _check_data(wishes.data)
        supervisor = Supervisor(boot=boot, folder=flags.config, places=places, wishes=wishes, zygote=zygote, say=say)
        return asyncio.run(supervisor.run())
    except StopRequested as stopped:  # while it started
        say(str(stopped))
        return 0
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    except StoreUnreachable as error:
        print(error, file=sys.stderr)
        return _STORE_AWAY
    except TradingError as error:
        print(error, file=sys.stderr)
        return 1
    except PyMongoError as error:
        get_log().info("not_started", exc_info=error)
        print(f"The store failed while tradingd started: {str(error)[:200]}. Start it again.", file=sys.stderr)
        return _STORE_AWAY


def _check_data(data: Path | None) -> None:
    if data is not None and not data.is_dir():
        raise ConfigError(f"The data folder {data} does not exist. Name a folder in pysystemtrade's layout, or none "
                          f"to use generated data.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tradingd", description="Supervise every production job of a futures "
                                     "trading firm from one schedule. Driven by tradectl.")
    add_place_flags(parser)
    parser.add_argument("--day", action="store_true", help="run one whole trading day at once, then stay on schedule")
    parser.add_argument("--once", action="store_true", help="with --day: end after the day")
    parser.add_argument("--again", action="store_true", help="with --day: the same recorded day once more")
    parser.add_argument("--data", type=Path, help="recorded prices in pysystemtrade's layout (mode simulated)")
    parser.add_argument("--strict", action="store_true", help="do not start while the configuration is wrong; without "
                        "it the service goes on with the generation that was accepted last")
    parser.add_argument("--verbose", action="store_true", help="log every event, not only warnings")
    return parser


if __name__ == "__main__":
    main()
