"""What the service starts with: the files, or where these are wrong the generation that was accepted last.

A machine that restarts in the night must not stay down because somebody left a file half edited in the evening; and it
must never fall back to defaults that nobody chose.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from daemon.configuration.checked_config import Checked, checked
from daemon.configuration.config_folder import finish_interrupted_write
from daemon.places import Places
from trading.config import ServiceConfig, read_config
from trading.control.config_revision import ConfigRevision
from trading.data.mongo.config_revisions import MongoConfigRevisions
from trading.data.mongo.connection import MongoStore
from trading.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Boot:
    """`service` is how to reach the store; without `checked` the store knows what was accepted last."""

    service: ServiceConfig
    checked: Checked | None = None
    refused: ConfigError | None = None


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """A configuration to work with; `revision` is set when it is not what the files say."""

    checked: Checked
    revision: ConfigRevision | None = None


def boot_from(folder: Path, places: Places, strict: bool) -> Boot:
    """Read the files of `folder`.

    Raises:
        ConfigError: they are wrong, and `strict` is wanted or nothing can have been accepted before.
    """
    finish_interrupted_write(folder)
    try:
        found = checked(folder, cache=places.calendars)
    except ConfigError as error:
        service = None if strict else _service_alone(folder)
        if service is None or (service.mongo.uri is None and not places.store.is_dir()):
            raise
        return Boot(service=service, refused=error)
    return Boot(service=found.config.service, checked=found)


async def accepted(boot: Boot, store: MongoStore, folder: Path, places: Places) -> Accepted:
    """What to work with.

    Raises:
        ConfigError: the files are wrong, and no generation was accepted before.
    """
    if boot.checked is not None:
        return Accepted(checked=boot.checked)
    assert boot.refused is not None
    newest = await asyncio.to_thread(MongoConfigRevisions(store).newest)
    if newest is None:
        raise boot.refused
    found = await asyncio.to_thread(checked, folder, newest.files, newest.at, places.calendars)
    return Accepted(checked=found, revision=newest)


def _service_alone(folder: Path) -> ServiceConfig | None:
    """tradingd.yaml, if at least that is right."""
    try:
        return read_config(folder).service_with_secrets()
    except ConfigError:
        return None
