"""What several rooms' tests need: the real survey, run once through the pipeline."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import settings

from features.build import build, read_registers
from features.ingest import ingest

# No test depends on wall-clock speed.
settings.register_profile("tepat", deadline=None)
settings.load_profile("tepat")

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("TEPAT_SHARED_DATA", ROOT.parent / "shared" / "data"))


@pytest.fixture(scope="session")
def endes() -> Path:
    """Folder of the ENDES 2012-2014 recode files."""
    folder = SHARED / "endes" / "raw"
    if not folder.is_dir():
        pytest.skip(f"no survey at {folder}; set TEPAT_SHARED_DATA to its folder")
    return folder


@pytest.fixture(scope="session")
def interim(endes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The survey's accepted registers."""
    out = tmp_path_factory.mktemp("endes") / "interim"
    ingest(endes, "dhs", out, max_quarantine_share=0.05)
    return out


@pytest.fixture(scope="session")
def units(interim: Path) -> pd.DataFrame:
    """The survey's units with their features."""
    return build(read_registers(interim)).units
