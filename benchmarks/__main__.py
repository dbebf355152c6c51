"""`make bench`: a table against the budgets, and benchmarks/latest.json.

Everything runs on this machine in a temporary folder: generated markets, embedded store, simulated gateway.
"""

import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from benchmarks import (
    algo_speed,
    broker_link,
    gateway_ticks,
    market_data_speed,
    million_ticks,
    order_runs,
    order_speed,
    quant_speed,
    reconcile_speed,
    schedule_speed,
    stored_system,
    supervision,
    system_speed,
)
from benchmarks.process_use import cpu_s, resident_mb
from trading.unix_socket import request

HERE = Path(__file__).parent
TRANSITIONS, STATUSES, IDLE_S = 300, 15, 20


@dataclass(frozen=True)
class Measurement:
    """One line of the table."""

    what: str
    value: str
    budget: str
    figures: dict[str, float]


def main() -> None:
    """Run all measurements and write them down."""
    with tempfile.TemporaryDirectory(prefix="tradingd-bench-") as folder:
        state = Path(folder) / "var"
        lines = [*measure_schedule(), *measure_market_data(), *measure_quant(), *measure_systems(),
                 *measure_stored_system(Path(folder) / "stored"), *measure_supervision(Path(folder)),
                 *measure_broker_link(Path(folder) / "link"), *measure_orders(Path(folder) / "orders"),
                 measure_memory(),
                 *measure_gateway(Path(folder) / "gateway"), measure_day(state)]
        ctl(state, "start")
        try:
            lines += [measure_transition(state), measure_status(state), measure_idle(state)]
        finally:
            ctl(state, "stop")
    show(lines)
    machine = {"cores": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version(),
               "system": platform.system(), "million_additions_ms": additions_ms()}
    result = {"machine": machine, "measurements": [asdict(line) for line in lines]}
    (HERE / "latest.json").write_text(json.dumps(result, indent=2) + "\n")


def additions_ms() -> float:
    """What the machine itself is worth just now: a million additions in a loop. Virtual machines differ by the hour."""
    total, started = 0, time.perf_counter()
    for number in range(1_000_000):
        total += number
    return round((time.perf_counter() - started) * 1000, 1)


def measure_day(state: Path) -> Measurement:
    """A whole day from nothing: generated data, import, twelve processes."""
    started = time.perf_counter()
    words = [sys.executable, "-m", "daemon", "--day", "--once", "--state", str(state)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    total = time.perf_counter() - started
    played = float(re.findall(r"The day is done \(([0-9.]+) s\)", done.stdout)[0])
    return Measurement("a day, with generating and importing / its processes alone",
                       f"{total:.1f} s / {played:.1f} s", "-", {"total_s": total, "processes_s": played})


def measure_schedule() -> list[Measurement]:
    """How fast fire times are found."""
    figures = schedule_speed.measure()
    return [Measurement("next_after, calls", f"{figures['next_after_per_s']:,.0f} a second", "20,000 a second",
                        figures),
            Measurement("between, a year of */5", f"{figures['between_year_ms']:.0f} ms", "100 ms", figures)]


def measure_market_data() -> list[Measurement]:
    """From prices of contracts to adjusted prices, crosses and merges."""
    found = market_data_speed.measure()
    return [Measurement(f"Panama prices, {found['rows']:,.0f} rows of 24 instruments",
                        f"{found['stitch_s'] * 1000:.0f} ms", "1 s", found),
            Measurement(f"history of 24 instruments from {found['contracts']:,.0f} contracts",
                        f"{found['history_s']:.1f} s", "-", found),
            Measurement(f"{found['crosses']:.0f} crosses of 8,000 days / a day joined to 24 series",
                        f"{found['crosses_s'] * 1000:.0f} / {found['merge_s'] * 1000:.0f} ms", "-", found)]


def measure_quant() -> list[Measurement]:
    """The sums of a trading day."""
    found = quant_speed.measure()
    return [Measurement("whole contracts, 100 instruments, one day", f"{found['dynamic_ms']:.1f} ms", "20 ms", found),
            Measurement("least variance, 500 instruments", f"{found['minimum_variance_ms']:.1f} ms", "60 ms", found),
            Measurement("Ledoit-Wolf, 500 instruments, 2,500 days", f"{found['identity_ms']:.1f} ms", "50 ms", found),
            Measurement("... of correlations / towards the average correlation",
                        f"{found['correlation_ms']:.1f} / {found['constant_correlation_ms']:.1f} ms", "50 ms", found)]


def measure_supervision(folder: Path) -> list[Measurement]:
    """The supervisor at work."""
    lines = [percentiles("due time to first line of the job", supervision.slot_to_job(folder / "slot"), "15 / 60 ms")]
    load = supervision.thousand_processes(folder / "load")
    lines.append(Measurement("1,000 processes, 100,000 slots a day",
                             f"{load['cpu_percent']:.1f} % of a core, {load['resident_mb']:.0f} MB", "10 %", load))
    taken = supervision.fail_overs(folder / "failover")
    lines.append(Measurement("fail-over after kill -9 of the leader", f"{max(taken):.1f} s at most", "15 s",
                             {"worst_s": max(taken), "best_s": min(taken)}))
    old = supervision.start_over_old_runs(folder / "old", supervision.OLD_RUNS)
    lines.append(Measurement(f"start over {supervision.OLD_RUNS:,} old runs (over none)",
                             f"{old['full_s']:.2f} s ({old['empty_s']:.2f} s)", "2 s", old))
    return lines


def measure_broker_link(folder: Path) -> list[Measurement]:
    """The one connection, and what workers have of it."""
    messages, orders, quotes = broker_link.measure(folder)
    return [percentiles("gateway's message, journaled, at a worker (200/s)", messages, "p99 20 ms"),
            percentiles("order request, claimed, on the wire", orders, "p99 10 ms"),
            Measurement("100 quote streams, 5 workers: the daemon", f"{quotes['cpu_percent']:.1f} % of a core", "25 %",
                        quotes)]


def measure_systems() -> list[Measurement]:
    """From prices to positions."""
    found = system_speed.measure()
    days = found["positions_s"] / found["half_the_days_s"]
    grown = [found[f"instruments_{count}_s"] / count * 1000 for count in system_speed.GROWING]
    return [Measurement("positions of 16 instruments by 13 rules, 10,000 days", f"{found['positions_s']:.2f} s", "2 s",
                        found),
            Measurement("their account, every fill and roll charged", f"{found['account_s']:.2f} s", "-", found),
            Measurement("an instrument among 8 / 16 / 64 / 256; twice the days",
                        f"{' / '.join(f'{each:.0f}' for each in grown)} ms; {days:.1f} times", "linear", found),
            Measurement("6 instruments by 7 rules, 12,823 days, to the account; against 14.5 s",
                        f"{found['fixed_s']:.2f} s, {found['fixed_times']:.0f} times faster", "20 times", found),
            Measurement("... everything estimated; against 73.4 s",
                        f"{found['estimated_s']:.2f} s, {found['estimated_times']:.0f} times faster", "20 times",
                        found),
            Measurement("whole contracts for a small account, each of 10,000 days",
                        f"{found['whole_contracts_s']:.1f} s", "-", found)]


def measure_stored_system(folder: Path) -> list[Measurement]:
    """From the store to positions."""
    found = stored_system.measure(folder)
    data = "the reference data" if found["shared"] else "generated markets"
    return [Measurement(f"from the store to positions, {found['instruments']:.0f} instruments by 13 rules ({data})",
                        f"{found['first_s']:.2f} s", "2 s", found),
            Measurement("... after one new day of all / of one of them",
                        f"{found['after_a_day_s']:.2f} / {found['after_one_instruments_day_s']:.2f} s", "0.3 s", found)]


def measure_orders(folder: Path) -> list[Measurement]:
    """Orders, fills and algos; stored ones on the embedded store, one worker, one after the other."""
    found, runs = order_speed.measure(folder / "alone"), order_runs.measure(folder / "runs")
    algos, folded, compared = algo_speed.measure_algos(), algo_speed.measure_fold(), reconcile_speed.measure()
    intents, fills, life = found["intents"], found["fills"], found["round_trips"]
    return [Measurement(f"decision to durable intent, 3 tiers, all controls, {intents['orders']:.0f} instruments",
                        f"{intents['cpu_p50_ms']:.1f} ms own (p50), {intents['wall_p50_ms']:.0f} / "
                        f"{intents['wall_p99_ms']:.0f} ms (p50 / p99)", "5 ms own, p99 50 ms", intents),
            Measurement("... alone, one after the other", f"{intents['per_s']:.0f} a second", "-", intents),
            Measurement(f"... in runs of {order_runs.RUN}, as the generator and the stack handler do it",
                        f"{runs['per_s']:.0f} a second, {runs['cpu_ms']:.1f} ms own, {runs['commands']:.1f} commands",
                        "200 a second", runs),
            Measurement("execution, journaled, to durable positions",
                        f"{fills['p50_ms']:.1f} / {fills['p99_ms']:.1f} ms (p50 / p99)", "p99 20 ms", fills),
            Measurement("... a backlog of them", f"{fills['backlog_per_s']:.0f} a second, {fills['cpu_ms']:.2f} ms own",
                        "500 a second", fills),
            Measurement("round trips in the life of a broker order",
                        f"{life['trips']:.0f} (transactions as one), {life['commands']:.0f} commands", "8", life),
            Measurement(f"comparison with the broker, {reconcile_speed.ORDERS:,} orders, a hundredth of them different",
                        f"{compared['cpu_ms']:.0f} ms own", "100 ms", compared),
            Measurement(f"{algo_speed.ALGOS} live algos, {algo_speed.QUOTES_PER_S} quotes a second each",
                        f"{algos['cpu_percent']:.1f} % of a core", "20 %", algos),
            Measurement(f"positions from {algo_speed.FILLS:,} fills", f"{folded['fold_s']:.1f} s", "5 s", folded)]


def measure_memory() -> Measurement:
    """What the runner keeps of slots that are over; bounded by BENCH_TICKS."""
    found = million_ticks.measure()
    return Measurement(f"memory from {found['ticks'] / 10:,.0f} to {found['ticks']:,.0f} slots",
                       f"{found['grown_mb']:+.1f} MB, {found['ticks_per_s']:,.0f} slots a second", "flat", found)


def measure_gateway(folder: Path) -> list[Measurement]:
    """Market data of the simulated gateway to ten clients."""
    asked, most, quotes = gateway_ticks.measure(folder)
    return [Measurement("simulated gateway, ten clients: market data as wanted",
                        f"{asked['per_s']:,.0f} messages a second, {asked['cpu_percent']:.0f} % of a core",
                        "20,000 a second", asked),
            Measurement("... an eleventh client's question meanwhile",
                        f"{asked['wait_p50_ms']:.1f} / {asked['wait_worst_ms']:.1f} ms (p50 / worst)", "-", asked),
            Measurement("... as much as goes", f"{most['per_s']:,.0f} messages a second", "-", most),
            Measurement("... quotes of 2,500 lines", f"{quotes['per_s']:,.0f} messages a second, all within "
                        f"{quotes['worst_day_ms']:.0f} ms", "-", quotes)]


def measure_transition(state: Path) -> Measurement:
    """One durable change of a process's state, with its event, in a transaction."""
    from trading.control.change import Cause, Change
    from trading.data.mongo.connection import connect
    from trading.data.mongo.processes import MongoProcesses

    uri = request(state / "run" / "control.sock", "GET", "/status")["store"]["uri"]
    store = connect(uri, "bench")
    processes, control = MongoProcesses(store), MongoProcesses(store).control("bench")
    cause, latencies = Cause(actor="bench", reason="bench"), []
    for number in range(TRANSITIONS):
        started, after = time.perf_counter(), replace(control, detail=str(number))
        control = processes.write(Change(before=control, after=after, cause=cause))
        latencies.append(time.perf_counter() - started)
    store.client.drop_database("bench")
    store.close()
    return percentiles("state transition, durable", latencies, "p99 20 ms")


def measure_status(state: Path) -> Measurement:
    """`tradectl status` as a whole process."""
    latencies = [timed(lambda: ctl(state, "status")) for _ in range(STATUSES)]
    return percentiles("tradectl status, a whole process", latencies, "150 ms")


def measure_idle(state: Path) -> Measurement:
    """Processor time and memory of the daemon while nothing is due."""
    pid = int(request(state / "run" / "control.sock", "GET", "/status")["pid"])
    before, started = cpu_s(pid), time.perf_counter()
    time.sleep(IDLE_S)
    share = 100 * (cpu_s(pid) - before) / (time.perf_counter() - started)
    memory = resident_mb(pid)
    return Measurement("idle daemon", f"{share:.2f} % of a core, {memory:.0f} MB", "0.5 %, 150 MB",
                       {"cpu_percent": share, "resident_mb": memory})


def ctl(state: Path, *words: str) -> None:
    """One call of tradectl."""
    subprocess.run([str(Path(sys.executable).with_name("tradectl")), "--state", str(state), *words],
                   check=True, capture_output=True)


def timed(work: Callable[[], None]) -> float:
    """Seconds that `work` takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def percentiles(what: str, latencies: Sequence[float], budget: str) -> Measurement:
    """p50 and p99 in milliseconds."""
    ordered = sorted(latencies)
    p50 = statistics.median(ordered) * 1000
    p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))] * 1000
    return Measurement(what, f"{p50:.1f} / {p99:.1f} ms (p50 / p99)", budget, {"p50_ms": p50, "p99_ms": p99})


def show(lines: Sequence[Measurement]) -> None:
    """The table."""
    width, values = max(len(line.what) for line in lines), max(len(line.value) for line in lines)
    for line in lines:
        print(f"{line.what:<{width}}  {line.value:<{values}}  budget {line.budget}")


if __name__ == "__main__":
    main()
