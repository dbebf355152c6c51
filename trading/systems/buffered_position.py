from dataclasses import dataclass
from datetime import datetime
@dataclass(frozen=True, kw_only=True)
class BufferedPosition:
    lower: float
    upper: float
    optimal: float
    reference_price: float
    reference_contract: str
    as_of: datetime
