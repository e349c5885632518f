"""Made-up training rows whose stunting has causes, for tests of the machinery."""

from __future__ import annotations

import numpy as np
import pandas as pd

from features.settings import Settings, load
from tests.conftest import ROOT
from training.models import INPUTS


def rows(count: int, *, seed: int, year: int = 2013, areas: int = 40, regions: int = 4) -> pd.DataFrame:
    """Children whose height falls with age, a short mother and a poor household; an area belongs to one region."""
    chance = np.random.default_rng(seed)
    made = pd.DataFrame(chance.random((count, len(INPUTS))), columns=list(INPUTS)).round(4)
    made = made.mask(chance.random(made.shape) < 0.1)
    made["age_months"], made["mother_height_cm"] = chance.uniform(0, 59, count), chance.normal(150, 6, count)
    made["wealth_quintile"] = chance.integers(1, 6, count).astype(float)
    area, day = chance.integers(0, areas, count), pd.Timestamp(year=year, month=3, day=1)
    haz = -2.5 - made.age_months / 60 + (made.mother_height_cm - 150) / 8 + made.wealth_quintile / 4
    haz = (haz + chance.normal(0, 0.8, count)).clip(-5.9, 5.9).round(2)
    return made.assign(
        unit_id=[f"{year}-{n:05}" for n in range(count)],
        unit_kind="child",
        as_of=day,
        child_id=lambda r: r.unit_id,
        household_id=lambda r: r.unit_id,
        mother_id=[f"m{n}" if n % 10 else None for n in range(count)],
        area_id=[f"a{n}" for n in area],
        region_id=[f"r{n % regions}" for n in area],
        outcome_known_on=day,
        haz=haz,
        stunted=(haz < -2).astype(int),
    )


def settings(**booster: float) -> Settings:
    """The project's own settings, with a small booster and few draws."""
    own = load(ROOT / "params.yaml", ROOT / "no-run.yaml")
    small = own.train.booster.model_copy(update={"rounds": 25, "eta": 0.2, **booster})
    train = own.train.model_copy(update={"booster": small, "folds": 3})
    return own.model_copy(
        update={"train": train, "evaluate": own.evaluate.model_copy(update={"bootstrap_draws": 30, "seeds": 1})}
    )
