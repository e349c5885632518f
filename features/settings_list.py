"""The part of `params.yaml` that shapes lists and plans, and how their risks are told."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from features.strict import Strict


class Intervals(Strict):
    """How sure a risk is: the model learned again on clusters drawn with replacement.

    Parameters
    ----------
    refits
        Times the model is learned again.
    level
        Of the interval: how often it should contain the risk.
    """

    refits: int = Field(default=20, ge=2)
    level: float = Field(default=0.90, gt=0, lt=1)


class Survey(Strict):
    """The share stunted that a survey found, on whose level risks are shown too; each null where no survey is set.

    Parameters
    ----------
    share, low, high
        Prevalence and its 95% interval, strictly between 0 and 1.
    of
        Which survey, year and place.
    """

    share: float | None = Field(default=None, gt=0, lt=1)
    low: float | None = Field(default=None, gt=0, lt=1)
    high: float | None = Field(default=None, gt=0, lt=1)
    of: str | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _whole(self) -> Survey:
        given = [value is not None for value in (self.share, self.low, self.high, self.of)]
        if any(given) and not all(given):
            raise ValueError("a survey needs share, low, high and of: give all four, or none")
        if self.share and self.low and self.high and not self.low <= self.share <= self.high:
            raise ValueError(f"the interval {self.low} to {self.high} does not contain the share {self.share}")
        return self


class Urgent(Strict):
    """Who is referred at once beside the children of WHO's limits: women with less. [g/dL] Null looks at no woman."""

    haemoglobin_below_g_dl: float | None = Field(default=8.0, ge=2, le=22)


class Plan(Strict):
    """The plan that the pipeline makes.

    Parameters
    ----------
    policy
        File of its policy.
    coverage_low_below
        A desa is shown as low where the registers list a smaller share of the children that households count. [0-1]
    """

    policy: str = "targeting/policies/default.yaml"
    coverage_low_below: float = Field(default=0.8, ge=0, le=1)


class Target(Strict):
    """Whom to list first."""

    capacity_share: float = Field(gt=0, le=1)
    objective: Literal["find", "prevent"]
    round_name: str
