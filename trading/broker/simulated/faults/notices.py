"""What the gateway tells everybody when it loses the broker behind it, and when it has it again (ib_wire.md 3.3)."""

from typing import Final

from trading.broker.simulated.faults.fault import FaultKind as K
from trading.broker.simulated.refusals import Refusal

CUTTING: Final = (K.LINK_LOST, K.DATA_LOST)
BEGINNINGS: Final = {
    K.LINK_LOST: Refusal(1100, "Connectivity between IBKR and Trader Workstation has been lost."),
    K.DATA_LOST: Refusal(1100, "Connectivity between IBKR and Trader Workstation has been lost."),
    K.FARM_LOST: Refusal(2103, "Market data farm connection is broken:usfuture"),
}
ENDINGS: Final = {
    K.LINK_LOST: Refusal(1102, "Connectivity between IBKR and Trader Workstation has been restored - data "
                               "maintained. All data farms are connected: usfuture; ushmds; secdefil."),
    K.DATA_LOST: Refusal(1101, "Connectivity between IBKR and Trader Workstation has been restored - data lost."),
    K.FARM_LOST: Refusal(2104, "Market data farm connection is OK:usfuture"),
}
