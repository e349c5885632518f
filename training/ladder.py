"""What each thing that the champion knows or does is worth: the same folds, one thing more at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from features.catalog import CATALOG, View
from training.labels import sloped
from training.masking import mask
from training.models import DIRECTIONS, INPUTS, fit_booster, margin

if TYPE_CHECKING:
    import pandas as pd

    from features.settings import Train

AGE_AND_SEX: Final = ("age_months", "male")
KNOWING: Final = {
    "the household": View.HOUSEHOLD,
    "water and toilet": View.SANITATION,
    "the mother": View.MOTHER,
    "the child among its siblings": View.CHILD,
    "pregnancy and birth": View.PREGNANCY,
    "altitude and town": View.AREA,
    "the neighbours": View.NEIGHBOURS,
    "past stunting of the place": View.HISTORY,
}
"""In the order in which a district would come to know it."""
INDEX: Final = "wealth_index"
INDEX_OF: Final = (
    "owns_electricity", "owns_radio", "owns_tv", "owns_fridge", "owns_bicycle", "owns_motorcycle", "owns_car",
    "owns_phone", "floor_quality", "wall_quality", "roof_quality", "fuel_ladder", "water_piped", "water_improved",
    "toilet_ladder", "toilet_shared",
)  # fmt: skip


@dataclass(frozen=True)
class Step:
    """What a booster knows and does on one rung.

    Parameters
    ----------
    after
        The rung that it is compared with; none for the first.
    names
        Its inputs.
    slopes
        It learns from the slope around the line, not from the step.
    hides
        Registers are hidden in a share of its training rows.
    """

    after: str | None
    names: tuple[str, ...]
    slopes: bool = True
    hides: bool = True


def ladder() -> dict[str, Step]:
    """From age and sex to all that the champion is; then it without one thing, and what was tried beside it."""
    found: dict[str, Step] = {"age and sex": Step(None, AGE_AND_SEX, slopes=False, hides=False)}
    known = set(AGE_AND_SEX)
    for name, view in KNOWING.items():
        known |= set(_of(view))
        found[f"+ {name}"] = Step([*found][-1], _ordered(known), slopes=False, hides=False)
    found["+ a slope around the line"] = Step([*found][-1], INPUTS, hides=False)
    found[CHAMPION] = Step([*found][-1], INPUTS)
    for name, view in KNOWING.items():
        found[f"without {name}"] = Step(CHAMPION, _ordered(set(INPUTS) - set(_of(view)) | set(AGE_AND_SEX)))
    found["tried: a fitted wealth index"] = Step(CHAMPION, (*INPUTS, INDEX))
    return found


CHAMPION: Final = "+ registers hidden in training"


def fit_step(step: Step, rows: pd.DataFrame, asked: pd.DataFrame, *, how: Train, seed: int) -> np.ndarray:
    """Margins of the rows asked about, by a booster that learned from the others."""
    if INDEX in step.names:
        index = wealth_index(rows)
        rows, asked = (each.assign(**{INDEX: index.transform(each[list(INDEX_OF)])[:, 0]}) for each in (rows, asked))
    hidden = {"registers": how.register_dropout, "pregnancies": how.pregnancy_dropout}
    seen = mask(rows, **hidden, seed=seed) if step.hides else rows
    label = sloped(rows.haz, width_sd=how.label_width_sd if step.slopes else 0.0)
    booster = fit_booster(seen, label, how=how.booster, seed=seed, names=step.names, directions=DIRECTIONS)
    return margin(booster, asked)


def wealth_index(rows: pd.DataFrame) -> Pipeline:
    """First principal component of what a household owns and how it lives, as surveys make their wealth index.

    References
    ----------
    Filmer and Pritchett, *Estimating wealth effects without expenditure data - or tears*, Demography 38(1), 2001.
    """
    known = SimpleImputer(strategy="mean", keep_empty_features=True)
    return make_pipeline(known, StandardScaler(), PCA(n_components=1, random_state=0)).fit(rows[list(INDEX_OF)])


def _of(view: View) -> list[str]:
    return [f.name for f in CATALOG if f.view is view and f.name in INPUTS]


def _ordered(names: set[str]) -> tuple[str, ...]:
    return tuple(name for name in INPUTS if name in names)
