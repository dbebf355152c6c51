"""Where the shipped defaults lie. Imports nothing heavy: tradectl needs it at every start."""

from pathlib import Path


def shipped_folder() -> Path:
    """The default configuration: inside an installed wheel, or `config/` of a checkout."""
    package = Path(__file__).parent
    installed = package / "shipped_files" / "config"
    return installed if installed.is_dir() else package.parent / "config"
