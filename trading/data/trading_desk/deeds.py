"""Every deed by its verb, for whoever is asked for one by name."""

from collections.abc import Mapping
from typing import Final

from trading.data.trading_desk.approve import ApproveOrder
from trading.data.trading_desk.cancel import CancelAll, CancelOrder
from trading.data.trading_desk.deed import Deed
from trading.data.trading_desk.ended_order import OrderEnded
from trading.data.trading_desk.flatten import Flatten
from trading.data.trading_desk.kill import LowerKill, RaiseKill
from trading.data.trading_desk.limits import ClearLimit, SetLimit
from trading.data.trading_desk.locks import LockInstrument, OpenLocks
from trading.data.trading_desk.manual_fill import ManualFill, TakeBackFill
from trading.data.trading_desk.manual_trade import ManualTrade
from trading.data.trading_desk.overrides import ClearOverride, SetOverride
from trading.data.trading_desk.positions import Assign, Balance, Opening, Transfer
from trading.data.trading_desk.rolls import SetRollState
from trading.data.trading_desk.statement import BookStatement

DEEDS: Final[Mapping[str, type[Deed]]] = {kind.verb: kind for kind in (
    RaiseKill, LowerKill, Flatten, SetOverride, ClearOverride, SetLimit, ClearLimit, LockInstrument, OpenLocks,
    Transfer, Assign, Balance, Opening, ManualTrade, ManualFill, TakeBackFill, ApproveOrder, CancelOrder, CancelAll,
    OrderEnded, SetRollState, BookStatement)}
