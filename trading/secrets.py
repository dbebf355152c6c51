"""Passwords and tokens: from the environment or systemd credentials, never from a configuration file."""

import os
from pathlib import Path
from typing import Final

from trading.errors import ConfigError

CREDENTIALS_VARIABLE: Final = "CREDENTIALS_DIRECTORY"  # systemd names the folder of LoadCredential= here


def secret(name: str) -> str | None:
    """The secret `name` (smtp_password: TRADINGD_SMTP_PASSWORD, or the credential smtp_password), or None.

    Raises:
        ConfigError: the credential exists and cannot be read.
    """
    from_environment = os.environ.get(f"TRADINGD_{name.upper()}")
    if from_environment:
        return from_environment
    folder = os.environ.get(CREDENTIALS_VARIABLE)
    if not folder:
        return None
    path = Path(folder) / name
    try:
        return path.read_text(encoding="utf-8").strip() or None
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The credential {path} cannot be read: {error}. Check LoadCredential={name} of the unit, "
                          f"or set TRADINGD_{name.upper()}.") from error
