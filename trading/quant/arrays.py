"""Arrays of this room: a vector holds one number an instrument, a matrix one a pair, or one a period and instrument."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Vector: TypeAlias = NDArray[np.float64]
Matrix: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]
Places: TypeAlias = NDArray[np.intp]
Lots: TypeAlias = NDArray[np.int64]
