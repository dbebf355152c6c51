"""For all tests: nothing is judged by how long it takes, for the machine may be busy; but nothing waits for ever."""

import pytest
from hypothesis import settings

settings.register_profile("ours", deadline=None, print_blob=True)
settings.load_profile("ours")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A soak takes as long as it takes; whatever else hangs fails by its name (the limit is in pyproject.toml)."""
    for item in items:
        if item.get_closest_marker("soak"):
            item.add_marker(pytest.mark.timeout(0))
