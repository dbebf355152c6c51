"""What the service starts with: the files, or where these are wrong the generation that was accepted last.

A machine that restarts in the night must not stay down because somebody left a file half edited in the evening; and it
must never fall back to defaults that nobody chose.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from daemon.configuration.checked_config import Checked, checked
from daemon.configuration.config_folder import finish_interrupted_write
from daemon.configuration.folder_texts import holiday_files, read_texts
from daemon.configuration.lost_files import refuse_lost_files
from daemon.places import Places
from trading.config import FILES, Config, ServiceConfig, read_config
from trading.control.config_revision import ConfigRevision
from trading.data.mongo.config_revisions import MongoConfigRevisions
from trading.data.mongo.connection import MongoStore
from trading.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Boot:
    """`service` is how to reach the store; without `checked` the store knows what was accepted last.

    `strict`: what was accepted last is never gone back to.
    """

    service: ServiceConfig
    strict: bool
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
        return Boot(service=service, strict=strict, refused=error)
    return Boot(service=found.config.service, strict=strict, checked=found)


async def accepted(boot: Boot, store: MongoStore, folder: Path, places: Places) -> Accepted:
    """What to work with.

    Raises:
        ConfigError: the files are wrong or lost, and no generation was accepted before, or `strict` is wanted.
    """
    newest = await asyncio.to_thread(MongoConfigRevisions(store).newest)
    try:
        if boot.refused is not None:
            raise boot.refused
        assert boot.checked is not None
        if newest is not None:
            await asyncio.to_thread(_refuse_lost_files, folder, newest, boot.checked.config)
        return Accepted(checked=boot.checked)
    except ConfigError:
        if newest is None or boot.strict:
            raise
    found = await asyncio.to_thread(checked, folder, newest.files, newest.at, places.calendars)
    return Accepted(checked=found, revision=newest)


def _refuse_lost_files(folder: Path, newest: ConfigRevision, config: Config) -> None:
    """Where files are gone, what is right in the others means defaults that nobody chose."""
    needed = (*FILES, *holiday_files(config.calendars))
    refuse_lost_files(folder, newest.files, read_texts(folder, config.calendars), needed, newest.generation)


def _service_alone(folder: Path) -> ServiceConfig | None:
    """tradingd.yaml, if at least that is right."""
    try:
        return read_config(folder).service_with_secrets()
    except ConfigError:
        return None
