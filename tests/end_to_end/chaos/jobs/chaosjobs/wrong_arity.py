"""A job whose author forgot the argument."""


def run() -> None:
    """Never called with what it expects."""
