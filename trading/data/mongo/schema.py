"""The collections: their validators, their unique indexes, and the version of all this. Run once at start."""

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from bson import Int64
from pymongo import IndexModel
from pymongo.errors import DuplicateKeyError, OperationFailure

from trading.data.mongo.connection import Document, MongoStore
from trading.errors import StoreError

SCHEMA_VERSION: Final = 1
_EXISTS: Final = 48  # NamespaceExists


@dataclass(frozen=True)
class Index:
    """One index; `only_where` makes it partial."""

    keys: tuple[tuple[str, int], ...]
    unique: bool = False
    only_where: Document | None = None


@dataclass(frozen=True)
class Collection:
    """One collection: the fields that every document must have with their BSON types, and its indexes."""

    required: dict[str, str | list[str]] = field(default_factory=dict)
    indexes: tuple[Index, ...] = ()


_INTEGER: Final = ["int", "long"]
_VERSIONED: Final[dict[str, str | list[str]]] = {"v": _INTEGER}
_ORDER: Final[dict[str, str | list[str]]] = {**_VERSIONED, "lifecycle": "string", "account": "string"}
_SERIES: Final = Collection({**_VERSIONED, "key": "string", "digest": "string"},
                            (Index((("key", 1), ("year", 1)), unique=True),))

COLLECTIONS: Final[dict[str, Collection]] = {
    "process_states": Collection({**_VERSIONED, "state": "string"}),
    "process_runs": Collection(
        {**_VERSIONED, "process": "string", "state": "string", "active": "bool"},
        (Index((("process", 1),), unique=True, only_where={"active": True}),
         Index((("process", 1), ("created", -1))), Index((("process", 1), ("slot", -1))),
         Index((("trading_day", 1),)), Index((("created", -1),)))),
    "process_events": Collection({"process": "string"}, (Index((("process", 1), ("_id", -1))),)),
    "ticks": Collection({"process": "string", "slot": "string", "outcome": "string"},
                        (Index((("process", 1), ("decided_at", -1))),)),
    "commands": Collection({"verb": "string", "state": "string"}),
    "config_revisions": Collection({"sha256": "string", "files": "object"}),
    "alerts": Collection({**_VERSIONED, "open": "bool"}, (Index((("open", 1),)),)),
    "leases": Collection({"token": _INTEGER}),
    "settings": Collection(),
    "imports": Collection({"digest": "string"}),
    "instruments": Collection({"code": "string", "currency": "string"}),
    "currency_pairs": Collection({"code": "string"}),
    "roll_calendars": Collection(_VERSIONED),
    "contracts": Collection({**_VERSIONED, "instrument": "string"}, (Index((("instrument", 1),)),)),
    "contract_prices": _SERIES,
    "multiple_prices": _SERIES,
    "adjusted_prices": _SERIES,
    "fx_prices": _SERIES,
    "capital": Collection({"owner": "string", "day": "string"}, (Index((("owner", 1), ("day", 1)), unique=True),)),
    "optimal_positions": Collection(
        {"strategy": "string", "instrument": "string", "day": "string"},
        (Index((("strategy", 1), ("instrument", 1), ("day", 1)), unique=True),)),
    "instrument_orders": Collection(
        {**_ORDER, "idempotency_key": "string"},
        (Index((("idempotency_key", 1),), unique=True), Index((("lifecycle", 1),)), Index((("trading_day", 1),)))),
    "contract_orders": Collection(
        _ORDER, (Index((("parent", 1),)), Index((("lifecycle", 1),)), Index((("trading_day", 1),)))),
    "broker_orders": Collection(
        _ORDER, (Index((("parent", 1),)), Index((("lifecycle", 1),)), Index((("perm_id", 1),)),
                 Index((("trading_day", 1),)), Index((("ib_order_id", -1),)),
                 Index((("instrument", 1), ("lifecycle", 1))))),
    "fills": Collection({"broker_order": ["string", "null"], "quantity": _INTEGER},
                        (Index((("broker_order", 1),)), Index((("trading_day", 1),)),
                         Index((("instrument", 1), ("at", 1))), Index((("contract", 1), ("at", 1))),
                         Index((("at", 1),)))),
    "contract_positions": Collection({**_VERSIONED, "quantity": _INTEGER}),
    "strategy_positions": Collection({**_VERSIONED, "quantity": _INTEGER}),
    "kill_state": Collection({**_VERSIONED, "state": "object"}),
    "roll_states": Collection({**_VERSIONED, "state": "string", "reason": "string"}),
    "overrides": Collection({**_VERSIONED, "words": "string"}),
    "limits": Collection({**_VERSIONED, "limit": "object"}),
    "position_adjustments": Collection({**_VERSIONED, "kind": "string", "reason": "string"}),
    "events": Collection({"aggregate": "string", "v": _INTEGER, "digest": "string", "actor": "string"},
                         (Index((("story", 1), ("ms", 1))),)),  # its _id is aggregate and version
    "reconciliation_runs": Collection(
        {"epoch": "string", "kind": "string", "trading_day": "string", "verdict": ["string", "null"],
         "number": _INTEGER},
        (Index((("number", 1),)), Index((("begun_ms", 1),)), Index((("epoch", 1), ("number", 1))))),
    "counters": Collection({"last": _INTEGER}),
    "instrument_locks": Collection({"instrument": "string", "cause": "string", "reason": "string"}),
    "broker_messages": Collection({"kind": "string"}, (Index((("kind", 1), ("_id", 1))),)),
}


def set_up_schema(store: MongoStore) -> None:
    """Create what is missing; repeating it changes nothing.

    Raises:
        StoreError: the database was written by a newer version of tradingd.
    """
    _refuse_newer(store)
    existing = set(store.database.list_collection_names())
    for name, collection in COLLECTIONS.items():
        if name not in existing:
            _create(store, name, collection)
        if collection.indexes:
            store.database[name].create_indexes([_model(index) for index in collection.indexes])
    _put_expired_lease(store)
    store.database.settings.replace_one({"_id": "schema"}, {"version": SCHEMA_VERSION}, upsert=True)


def _put_expired_lease(store: MongoStore) -> None:
    """A lease that has run out, so that contenders for the very first one meet a document, not each other's upsert."""
    nobody = {"nonce": "", "token": Int64(0), "expires_ms": Int64(0), "holder": "", "boot_id": "", "pid": 0,
              "start_ticks": 0}
    with suppress(DuplicateKeyError):
        store.database.leases.insert_one({"_id": "leader", **nobody})


def _refuse_newer(store: MongoStore) -> None:
    found = (store.database.settings.find_one({"_id": "schema"}) or {}).get("version", SCHEMA_VERSION)
    if found > SCHEMA_VERSION:
        raise StoreError(f"The database {store.database.name} has schema version {found}; this tradingd knows "
                         f"{SCHEMA_VERSION}. Install the newer version again, or restore an older backup.")


def _create(store: MongoStore, name: str, collection: Collection) -> None:
    properties = {key: {"bsonType": kind} for key, kind in collection.required.items()}
    schema: dict[str, Any] = {"bsonType": "object"}
    if properties:
        schema |= {"required": sorted(properties), "properties": properties}
    try:  # the driver would look at the list of collections before each
        store.database.create_collection(name, validator={"$jsonSchema": schema}, check_exists=False)
    except OperationFailure as error:
        if error.code != _EXISTS:  # another starter was faster
            raise


def _model(index: Index) -> IndexModel:
    partial = {} if index.only_where is None else {"partialFilterExpression": index.only_where}
    return IndexModel(list(index.keys), unique=index.unique, **partial)
