"""Households that officers hold back, for plans made on the command line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from serving.decisions import Decisions
from serving.settings import load
from serving.shelf import FILE
from serving.store import open_store

if TYPE_CHECKING:
    import pandas as pd


def held_today() -> pd.DataFrame | None:
    """household_id and why, of the decisions in this machine's store; None where there is no store yet.

    Raises
    ------
    StoreRefused
        The store cannot be read.
    """
    service = load(os.environ)
    url = service.database.get_secret_value()
    if url.startswith(FILE) and not Path(url.removeprefix(FILE)).exists():
        return None
    store = open_store(url)
    try:
        return Decisions(store.database).held(service.now().date())
    finally:
        store.close()
