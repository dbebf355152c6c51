"""For all tests: nothing is judged by how long it takes, for the machine may be busy; but nothing waits for ever."""

import os

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("ours", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow],
                          derandomize=bool(os.environ.get("CI")))  # a submission is judged by what it changed
settings.load_profile("ours")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A soak takes as long as it takes; whatever else hangs fails by its name (the limit is in pyproject.toml)."""
    for item in items:
        if item.get_closest_marker("soak"):
            item.add_marker(pytest.mark.timeout(0))
