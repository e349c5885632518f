"""What every adapter hands to `ingest`."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

NULLED = ("register", "column", "code", "reason", "rows")


def _no_nulls() -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(dtype="int64" if name == "rows" else "str") for name in NULLED})


@dataclass(frozen=True)
class Extract:
    """Registers in the contracts' words, not yet validated.

    Parameters
    ----------
    nulled
        Which sentinels (such as 9998) were turned to null, why, and in how many rows.
    """

    registers: dict[str, pd.DataFrame]
    notes: tuple[str, ...] = ()
    nulled: pd.DataFrame = field(default_factory=_no_nulls)

    @staticmethod
    def no_nulls() -> pd.DataFrame:
        """Give the account of a source without sentinels."""
        return _no_nulls()
