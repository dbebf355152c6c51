"""Whoever computes, the numbers are the same: seeds belong to tasks."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest

from trading.errors import ConfigError
from trading.executors import DaskCluster, ProcessPool, executor_for
from trading.quant.bootstrap import drawn_periods
from trading.quant.executor import Executor, SerialExecutor
from trading.quant.portfolio_optimiser import PortfolioOptimiser

RETURNS = pd.DataFrame(np.random.default_rng(3).normal(0.05, 1, (80, 4)), columns=list("ABCD"))


@pytest.fixture(scope="module", params=["serial", "processes", "cluster"])
def executor(request: pytest.FixtureRequest) -> Iterator[Executor]:
    if request.param == "serial":
        yield SerialExecutor()
    elif request.param == "processes":
        with ProcessPool(workers=2) as pool:
            yield pool
    else:
        from distributed import LocalCluster

        with LocalCluster(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None) as cluster:
            ours = DaskCluster.at(cluster.scheduler_address)
            yield ours
            ours.close()


def test_results_come_in_the_order_of_the_tasks(executor: Executor) -> None:
    assert executor.map(abs, list(range(-50, 0))) == list(range(50, 0, -1))


def test_no_tasks_give_no_results(executor: Executor) -> None:
    assert executor.map(abs, []) == []


def test_an_error_of_a_task_is_raised_here(executor: Executor) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        executor.map(int, ["1", "two"])


def test_bootstrapped_weights_do_not_depend_on_who_computes_them(executor: Executor) -> None:
    ours = PortfolioOptimiser().bootstrapped(RETURNS, executor, samples=24, seed=11)
    here = PortfolioOptimiser().bootstrapped(RETURNS, SerialExecutor(), samples=24, seed=11)
    assert ours == here


def test_all_processors_of_this_machine_do_what_takes_long() -> None:
    with executor_for(is_long=True) as many, executor_for(is_long=False) as one:
        assert (type(many), type(one)) == (ProcessPool, SerialExecutor)


def test_another_seed_draws_other_samples() -> None:
    first, second = (PortfolioOptimiser().bootstrapped(RETURNS, SerialExecutor(), samples=5, seed=seed)
                     for seed in (1, 2))
    assert first != second


def test_each_sample_draws_its_own() -> None:
    drawn = {tuple(rows.tolist()) for rows in drawn_periods(30, 20, seed=9)}
    assert len(drawn) == 20


def test_a_sample_draws_the_same_whatever_others_there_are() -> None:
    few, many = drawn_periods(30, 2, seed=9), drawn_periods(30, 20, seed=9)
    assert [rows.tolist() for rows in few] == [rows.tolist() for rows in many[:2]]


def test_a_scheduler_that_does_not_answer_is_named() -> None:
    with pytest.raises(ConfigError, match="No dask scheduler answers"):
        DaskCluster.at("tcp://127.0.0.1:1", timeout_s=0.3)
