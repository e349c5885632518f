"""A list as CSV: UTF-8, one line a household, names of columns as the API has them."""

from __future__ import annotations

import csv
import io
from typing import IO, TYPE_CHECKING, Any

from serving.exporting.cells import harmless

if TYPE_CHECKING:
    from collections.abc import Iterable

    from serving.exporting.export import Export
    from serving.listing import Line


def write(made: Export, lines: Iterable[Line], into: IO[bytes]) -> None:
    """The whole file; numbers stay numbers, and null is an empty cell."""
    text = io.TextIOWrapper(into, encoding="utf-8-sig", newline="")
    rows = csv.writer(text, lineterminator="\r\n")
    rows.writerow(made.columns)
    rows.writerows([_cell(getattr(line, name)) for name in made.columns] for line in lines)
    text.flush()
    text.detach()


def _cell(value: Any) -> Any:
    return harmless(value) if isinstance(value, str) else value
