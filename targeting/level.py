"""The same risks on a register's and on a survey's level, by unit and by region; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from training.prior_shift import moved, prevalence_of, shifted

if TYPE_CHECKING:
    from features.settings_list import Survey

WHOLE = "semua / all"
"""Name of the line over all regions."""


@dataclass(frozen=True, eq=False)
class Levels:
    """Scored units, and what that means for each region.

    Parameters
    ----------
    scores
        With `risk_now_survey` and `risk_at_24m_survey`; null without a survey.
    regions
        region_id, children, then the share and the number of stunted children to expect: `share_register` and
        `expected_register` by the model as it learned from the register, `share_survey` and `expected_survey` with
        `_low` and `_high` on the survey's level (null without one), and `survey`, which one that is. The ends carry
        the survey's error alone. The last line is over all regions; children of no known region count there too.
    """

    scores: pd.DataFrame
    regions: pd.DataFrame


def on_survey_level(scores: pd.DataFrame, survey: Survey) -> Levels:
    """The scores on both levels: one shift of all log-odds puts the children's mean where the survey puts it.

    The shift is found on `risk_now` of every scored child, as a survey asks of children and of today. Pregnancies and
    `risk_at_24m` move by as much: a register is taken to miss as large a part of them. No order of units changes.
    """
    children = scores[scores.risk_now.notna()]
    found = prevalence_of(survey)
    if found is None or children.empty:
        absent = scores.assign(risk_now_survey=np.nan, risk_at_24m_survey=np.nan)
        return Levels(absent, _regions(children.region_id, {"register": children.risk_now.to_numpy(float)}, of=None))
    made = shifted(children.risk_now, found)
    both = {f"{name}_survey": moved(scores[name], made.shift) for name in ("risk_now", "risk_at_24m")}
    by_level = {
        "register": children.risk_now.to_numpy(float), "survey": made.risk, "survey_low": made.low,
        "survey_high": made.high,
    }  # fmt: skip
    return Levels(scores.assign(**both), _regions(children.region_id, by_level, of=survey.of))


def _regions(region: pd.Series, by_level: dict[str, np.ndarray], *, of: str | None) -> pd.DataFrame:
    risks = pd.DataFrame(by_level).reindex(columns=["register", "survey", "survey_low", "survey_high"])
    grouped = risks.groupby(region.to_numpy(dtype=object))
    shares = pd.concat([grouped.mean(), risks.mean().to_frame(WHOLE).T])
    children = pd.concat([grouped.size(), pd.Series({WHOLE: len(risks)})])
    table = pd.concat(
        [
            children.rename("children"),
            shares.add_prefix("share_"),
            shares.mul(children, axis=0).add_prefix("expected_"),
        ],
        axis=1,
    )
    table = table.astype(float).astype({"children": "int64"}).rename_axis("region_id").reset_index()
    return table.assign(survey=pd.Series([of] * len(table), dtype="string"))
