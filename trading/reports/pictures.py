"""Pictures for reports: a line over time as scalable graphics, to be put into a page as they are. Pure.

No screen is needed, and nothing outside the page. Colours follow the text, so that a page in the dark stays readable.
"""

import io
import re
from typing import Final

import pandas as pd

_INCHES: Final = (10.0, 2.8)
_INK: Final = "#123456"  # replaced by the colour of the page's text
_POINTS: Final = 1500  # more than a screen shows


def line_picture(values: pd.Series, unit: str, filled: bool = False) -> str:
    """An SVG element that shows `values` (a series over dates) with `unit` beside its axis; filled down from zero."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    known = values.dropna()
    thinned = known.iloc[::max(1, len(known) // _POINTS)]
    figure = Figure(figsize=_INCHES, layout="constrained")
    FigureCanvasSVG(figure)
    axes = figure.add_subplot()
    axes.plot(thinned.index, thinned.to_numpy(), color=_INK, linewidth=1.1)
    if filled:
        axes.fill_between(thinned.index, thinned.to_numpy(), 0, color=_INK, alpha=0.18, linewidth=0)
    axes.set_ylabel(unit, color=_INK)
    axes.grid(visible=True, color=_INK, alpha=0.15, linewidth=0.6)
    axes.tick_params(colors=_INK)
    axes.margins(x=0)
    for side in axes.spines.values():
        side.set_visible(False)
    file = io.StringIO()
    figure.savefig(file, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return _element(file.getvalue())


def _element(document: str) -> str:
    """The svg element of `document`, as wide as the page."""
    element = document[document.index("<svg"):].replace(_INK, "currentColor")
    return re.sub(r'width="[\d.]+pt" height="[\d.]+pt"', 'width="100%"', element, count=1).strip()
