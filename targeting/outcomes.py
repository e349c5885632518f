"""What became of a plan: the outcomes of those it visited, with their chances, and where the model erred; pure.

An outcome is a label with a weight. Those chosen stand for themselves; those by lot stand for every household that was
not chosen, where no other visit looks. A household was visited when it is on the plan: a measurement shows that it was
found, and nothing shows that it was not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import pandas as pd

from targeting.births import filled
from targeting.exploration import Estimate, prevalence, wilson
from targeting.plan_tables import LOT, VALUE
from training.labels import outcomes

if TYPE_CHECKING:
    import datetime as dt

    from features.settings import Outcome

UNIT: Final = ("unit_id", "unit_kind", "child_id", "mother_id", "household_id", "risk_now", "risk_at_24m")
"""What is read of a unit, as it stood when the plan was made."""
LABEL: Final = (
    "unit_id", "unit_kind", "child_id", "household_id", "as_of", "measured_on", "outcome_known_on", "haz", "stunted",
    "why_none", "chosen_for", "chance", "weight", "risk_now", "risk_at_24m",
)  # fmt: skip
NOT_MEASURED, NOT_BORN = "not measured", "not born or not linked"
LONGEST_UNBORN: Final = pd.Timedelta(days=301)
"""43 weeks: who is born later is of another pregnancy."""
LIMIT: Final = "limit"
KINDS: Final = {VALUE: "chosen by value", LIMIT: "chosen for a limit", LOT: "by lot"}
NO_LOTS: Final = "no visit of the plan fell by lot; `reserves.exploration` of a policy asks for some."

Verdict = Literal["too low", "within chance", "too high"]


@dataclass(frozen=True, kw_only=True)
class OfChildren:
    """Children whom the model knew, of one kind of visit.

    Parameters
    ----------
    chosen_for
        `value`, `limit` (any rule of the policy) or `exploration`.
    visits
        Households, with or without a child.
    children, measured
        With a risk on the plan's day, and those of them who have an outcome.
    stunted, expected
        Of the measured: found, and the sum of their `risk_now`. [children]
    low, high
        Ends of Wilson's 95% interval of the share stunted, with siblings as independent; null: nobody was measured.
    """

    chosen_for: str
    visits: int
    children: int
    measured: int
    stunted: int
    expected: float
    low: float | None
    high: float | None


@dataclass(frozen=True, kw_only=True)
class OfHomes:
    """Households with a child on the plan's day: how many have a stunted one.

    Parameters
    ----------
    expected
        Mean over all these households of 1 - prod(1 - `risk_now`), which takes siblings as independent; null: there is
        no such household. [0-1]
    found
        By those visited whose every child has an outcome, weighted; null: nothing can be said.
    why_none
        Why nothing can be said; empty where something can.
    """

    households: int
    expected: float | None
    found: Estimate | None
    why_none: str

    @property
    def model(self) -> Verdict | None:
        """Whether the model says less or more than the interval allows; None: not known."""
        if self.found is None or self.expected is None:
            return None
        low, high = self.expected < self.found.low, self.expected > self.found.high
        return "too low" if low else "too high" if high else "within chance"


@dataclass(frozen=True, kw_only=True)
class Judged:
    """How a plan's expectations stand beside what was found.

    Parameters
    ----------
    visits
        Households on the plan.
    by_choice
        Children by why they were visited; kinds without a visit are left out.
    unchosen, everyone
        Of the households that the plan did not choose, by the lots among them; and of all that competed.
    pregnancies, born, born_measured, born_stunted
        Pregnancies of the plan's day, those with a child linked to them since, and what is known of these children.
        Nothing is expected of them: the model foretells them at 24 months.
    """

    visits: int
    by_choice: tuple[OfChildren, ...]
    unchosen: OfHomes
    everyone: OfHomes
    pregnancies: int
    born: int
    born_measured: int
    born_stunted: int


def followed_up(
    lines: pd.DataFrame,
    units: pd.DataFrame,
    measurements: pd.DataFrame,
    *,
    births: pd.DataFrame,
    on: dt.date,
    window: Outcome,
) -> pd.DataFrame:
    """The outcome of every unit of a visited household, with the weight of the visit; the same for any order of rows.

    Parameters
    ----------
    lines
        Of the plan: household_id, chosen_for, chance, weight; once each.
    units
        `UNIT` of the scores that the plan was made of; once each.
    measurements
        The register as it is today.
    births
        A pregnancy has the outcome of the child born to the woman after the plan's day and within 43 weeks;
        of twins, of the first by identifier.
    on
        The plan's day: the `as_of` of every outcome.

    Returns
    -------
    `LABEL`, by household and unit. `stunted` is 1 or 0, null without a valid measurement in the window; `why_none`
    says why: the unit was not measured, or no child is linked to the pregnancy. `child_id` is that of the born child.
    """
    day = pd.Timestamp(on)
    plan = lines[["household_id", "chosen_for", "chance", "weight"]]
    rows = units[list(UNIT)].merge(plan, on="household_id", validate="m:1")
    rows = rows.assign(as_of=day, child_id=filled(rows.child_id, by=rows.mother_id.map(_born_after(day, births))))
    found = outcomes(rows[rows.child_id.notna()], measurements, window=window)
    rows = rows.merge(found, on=["unit_id", "as_of"], how="left", validate="1:1")
    why = np.where(rows.child_id.isna(), NOT_BORN, NOT_MEASURED)
    rows = rows.assign(
        stunted=rows.stunted.astype("Int64"), why_none=pd.Series(why, index=rows.index).where(rows.stunted.isna())
    )
    return rows[list(LABEL)].sort_values(["household_id", "unit_id"], ignore_index=True)


def _born_after(day: pd.Timestamp, births: pd.DataFrame) -> pd.Series:
    """The child born to each woman after a day, by mother_id."""
    after = births[(births.birth_date > day) & (births.birth_date <= day + LONGEST_UNBORN)]
    return after.sort_values(["birth_date", "child_id"]).drop_duplicates("mother_id").set_index("mother_id").child_id


def judged(followed: pd.DataFrame, *, lines: pd.DataFrame, units: pd.DataFrame, competing: pd.Series) -> Judged:
    """What was found beside what the model expected, of the children visited and of all households.

    Parameters
    ----------
    followed
        Of `followed_up`.
    lines, units
        As there.
    competing
        household_id of every household that could have been visited, those on the plan among them.
    """
    known = units[units.risk_now.notna() & units.household_id.isin(competing)]
    risk = 1.0 - (1.0 - known.risk_now.astype(float)).groupby(known.household_id).prod()
    visits = lines[lines.household_id.isin(risk.index)]
    found = visits.household_id.map(_whole(followed)).to_numpy(float)
    by_lot = (visits.chosen_for == LOT).to_numpy()
    unchosen = risk[~risk.index.isin(lines.household_id[lines.chosen_for != LOT])]
    unborn = followed[followed.unit_kind == "pregnancy"]
    return Judged(
        visits=len(lines),
        by_choice=_by_choice(followed, lines),
        unchosen=_of_homes(visits[by_lot], found[by_lot], unchosen),
        everyone=_of_homes(visits, found, risk),
        pregnancies=len(unborn),
        born=int(unborn.child_id.notna().sum()),
        born_measured=int(unborn.stunted.notna().sum()),
        born_stunted=int(unborn.stunted.sum()),
    )


def _by_choice(followed: pd.DataFrame, lines: pd.DataFrame) -> tuple[OfChildren, ...]:
    children = followed[followed.risk_now.notna()]
    kind_of, kinds = _kind(children.chosen_for), _kind(lines.chosen_for)
    return tuple(
        _of_children(children[kind_of == kind], kind, visits=int((kinds == kind).sum()))
        for kind in KINDS
        if (kinds == kind).any()
    )


def _kind(chosen_for: pd.Series) -> pd.Series:
    return chosen_for.where(chosen_for.isin([VALUE, LOT]), LIMIT)


def _of_children(children: pd.DataFrame, kind: str, *, visits: int) -> OfChildren:
    measured = children[children.stunted.notna()]
    stunted = int(measured.stunted.sum())
    low, high = wilson(stunted, of=len(measured)) if len(measured) else (None, None)
    return OfChildren(
        chosen_for=kind, visits=visits, children=len(children), measured=len(measured), stunted=stunted,
        expected=float(measured.risk_now.sum()), low=low, high=high,
    )  # fmt: skip


def _whole(followed: pd.DataFrame) -> pd.Series:
    """Of each household whose every child has an outcome, whether one is stunted. [0 or 1]

    Where only some have one, a stunted child among them would make the household known and a healthy one would not.
    """
    children = followed[followed.risk_now.notna()]
    of = children.stunted.astype("float64").groupby(children.household_id)
    worst: pd.Series = of.max()[of.count() == of.size()]
    return worst


def _of_homes(visits: pd.DataFrame, found: np.ndarray, risk: pd.Series) -> OfHomes:
    """Of the households of `risk`; `visits` are of them."""
    expected = float(risk.mean()) if len(risk) else None
    made, why = None, ""
    try:
        made = prevalence(visits, found, households=len(risk)) if len(risk) else None
    except ValueError as fault:  # a kind without an outcome
        unseen = len(risk) > len(visits) and not (visits.chosen_for == LOT).any()
        why = NO_LOTS if unseen else str(fault)
    if not len(risk):
        why = "there is no such household with a child."
    return OfHomes(households=len(risk), expected=expected, found=made, why_none=why)


def told(made: Judged) -> list[str]:
    """What became of a plan, in lines."""
    children, measured = (sum(getattr(kind, name) for kind in made.by_choice) for name in ("children", "measured"))
    lines = [f"{measured:,} of {children:,} children have an outcome, in {made.visits:,} households visited"]
    if made.pregnancies:
        born = f"{made.born:,} of {made.pregnancies:,} pregnancies have a child since, {made.born_measured:,} measured"
        lines.append(f"{born} and {made.born_stunted:,} of these stunted; the model says nothing of their age")
    lines += [_children_said(kind) for kind in made.by_choice]
    return [*lines, _homes_said("not chosen", made.unchosen), _homes_said("all that competed", made.everyone)]


def _children_said(kind: OfChildren) -> str:
    if not kind.measured or kind.low is None:
        return f"{KINDS[kind.chosen_for]}: none of {kind.children:,} children has an outcome"
    share, expected = kind.stunted / kind.measured, kind.expected / kind.measured
    found = f"{kind.stunted:,} of {kind.measured:,} children stunted, {share:.1%} ({kind.low:.1%} to {kind.high:.1%})"
    return f"{KINDS[kind.chosen_for]}: {found}; the model expected {kind.expected:,.1f}, {expected:.1%}"


def _homes_said(who: str, homes: OfHomes) -> str:
    of = f"{who}: {homes.households:,} households with a child"
    if homes.expected is None:
        return of
    if homes.found is None:
        return f"{of}; the model says {homes.expected:.1%} have a stunted one, and nothing shows it: {homes.why_none}"
    found = f"{homes.found.share:.1%} have a stunted one ({homes.found.low:.1%} to {homes.found.high:.1%})"
    return f"{of}; by the visits {found}, the model says {homes.expected:.1%}: {homes.model}"
