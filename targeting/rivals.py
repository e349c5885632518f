"""What today's rules, an equal share and a lottery reach under the limits of a plan, beside the plan; pure."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from targeting import feasibility
from targeting.allocation import allocate
from targeting.rival_orders import NAMES, NOT_KNOWN, PLAN, followed, orders_asked, terms_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from targeting.allocation import Allocation
    from targeting.policy import Policy
    from targeting.problem import Booleans, Floats
    from targeting.rival_orders import Terms

DIMENSIONS: Final = (
    "region_id", "area_id", "track", "pregnant", "under_24_months", "never_measured", "krs", "welfare_decile", "desil",
    "wealth_quintile",
)  # fmt: skip
"""Columns whose groups are told apart, where `homes` has them; `krs` comes with the orders."""
MEANINGS: Final = {
    "plan": ("Cara", "code of the order"),
    "name_id": ("Nama", "the order in Indonesian"),
    "name_en": ("Nama (Inggris)", "the order in English"),
    "visits": ("Kunjungan", "households visited; no exploration"),
    "reached": ("Perkiraan anak stunting terjangkau", "expected stunted children of the households visited"),
    "reached_low": ("Batas bawah", "low end of the interval of reached, from the refits of the model; null without"),
    "reached_high": ("Batas atas", "high end of it"),
    "difference": ("Selisih", "what this plan reaches less what the order reaches, expected stunted children"),
    "difference_low": ("Batas bawah selisih", "low end of its interval, both of the same refits; null without"),
    "difference_high": ("Batas atas selisih", "high end of it"),
    "ratio": ("Kelipatan", "how many times as many this plan reaches; null when the order reaches none"),
    "ratio_low": ("Batas bawah kelipatan", "low end of its interval, of the ratio's logarithm over the refits"),
    "ratio_high": ("Batas atas kelipatan", "high end of it"),
    "share": ("Bagian dari semua", "reached, as a share of all that is expected of the households that compete, 0-1"),
    "worth": ("Nilai", "what the plan maximises: children reached, and services by the policy's weights"),
    "gap": ("Jarak ke batas", "how far worth is below the most that any order could have, 0-1"),
    "kept": ("Semua ketentuan terpenuhi", "true: every limit holds, least amounts too"),
    "in_both": ("Keluarga yang sama", "households that both this plan and the order visit"),
    "jaccard": ("Kesamaan (Jaccard)", "those in both, as a share of those in either, 0-1"),
    "areas": ("Desa", "desa with a household that competes"),
    "areas_with_none": ("Desa tanpa kunjungan", "desa of these where nobody is visited"),
    "services": ("Layanan diberikan", "services handed over"),
    "visits_idr": ("Biaya kunjungan (rupiah)", "cost of the visits, rupiah"),
    "cost_idr": ("Biaya semua (rupiah)", "cost of the visits and of all services handed over, rupiah"),
}
"""Column of the table: heading in Indonesian, meaning in English; `services_<owner>_idr` is the cost by owner."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Comparison:
    """A plan beside other orders under the same limits.

    Parameters
    ----------
    table
        One row an order; its columns are explained in `MEANINGS`.
    coverage
        plan, dimension (of `DIMENSIONS`), group, households, visited, share [0-1].
    visited
        household_id, and one column an order [true, false].
    level
        Of the intervals. [0-1]
    notes
        What a reader of the table should know.
    """

    table: pd.DataFrame
    coverage: pd.DataFrame
    visited: pd.DataFrame
    level: float
    notes: tuple[str, ...]


def compared(
    policy: Policy,
    homes: pd.DataFrame,
    *,
    orders: pd.DataFrame,
    needs: pd.DataFrame,
    menu: pd.DataFrame,
    apart: pd.DataFrame,
    draws: np.ndarray | None = None,
    level: float = 0.9,
) -> Comparison:
    """What each order reaches with the visits, budgets, floors, quotas and reserves of one policy; any order of rows.

    Exploration is left out of all: its visits are chosen as the others are. So this plan's figures are a little above
    those of the plan that is carried out. Equal scores of an order fall by the policy's own lot.

    Parameters
    ----------
    homes, needs, menu, apart
        As for `plan`.
    orders
        As `orders_of` makes them; a household without a row, or of null score, comes last.
    draws
        Expected stunted children of each household under each refit of the model, rows as in `homes`. Shape
        (households, refits), two or more refits. [children]

    Raises
    ------
    InputRefused
        The policy names what is not there, or its rules cannot all be kept.
    ValueError
        `draws` are not of these households, or a household stands twice in `orders`.
    """
    terms = terms_of(policy, homes, needs=needs, menu=menu)
    feasibility.check(terms.limits, policy=terms.policy, homes=terms.homes)
    scores = orders_asked(terms, orders)
    made = {PLAN: allocate(terms.problem), **{name: followed(terms.problem, one) for name, one in scores.items()}}
    visited = {name: one.visited for name, one in made.items()}
    refits = None if draws is None else _of(terms.homes, homes, draws)
    return Comparison(
        table=pd.DataFrame(_row(terms, made, name, refits=refits, level=level) for name in made),
        coverage=_coverage(_with_krs(terms.homes, orders), visited),
        visited=pd.DataFrame({"household_id": terms.homes.household_id, **visited}),
        level=level,
        notes=(*terms.limits.notes, *_notes(apart)),
    )


def _of(here: pd.DataFrame, homes: pd.DataFrame, draws: np.ndarray) -> np.ndarray:
    """The draws of the households that compete, in their order."""
    if draws.ndim != 2 or len(draws) != len(homes) or draws.shape[1] < 2 or not np.isfinite(draws).all():  # noqa: PLR2004 (a table; a spread needs two)
        raise ValueError(
            f"draws are of shape {draws.shape}; allowed: ({len(homes)}, 2 or more refits), all finite. "
            "Give what each refit expects of each row of homes."
        )
    return draws[pd.Index(homes.household_id).get_indexer(here.household_id)]


def _row(
    terms: Terms, made: dict[str, Allocation], name: str, *, refits: np.ndarray | None, level: float
) -> dict[str, object]:
    own, best = made[name], made[PLAN]
    value, both = terms.homes.value.to_numpy(float), int((own.visited & best.visited).sum())
    said = _reached(value, refits, visited=own.visited, instead_of=best.visited, level=level)
    return {
        "plan": name,
        "name_id": NAMES[name].id,
        "name_en": NAMES[name].en,
        "visits": int(own.visited.sum()),
        **said,
        "share": _part(said["reached"], float(value.sum())),
        "worth": own.reached,
        "gap": max(_part(best.bound - own.reached, best.bound), 0.0),
        "kept": terms.problem.keeps(own.visited, own.given),
        "in_both": both,
        "jaccard": _part(both, int((own.visited | best.visited).sum())),
        **_areas(terms.homes, own.visited),
        **_costs(terms, own),
    }


def _reached(
    value: Floats, refits: np.ndarray | None, *, visited: Booleans, instead_of: Booleans, level: float
) -> dict[str, float]:
    """What an order reaches, and how much more this plan does, each with its interval."""
    reached, best = float(value[visited].sum()), float(value[instead_of].sum())
    found = {"reached": reached, "difference": best - reached, "ratio": _part(best, reached)}
    spread = dict.fromkeys(found, np.nan)
    if refits is not None:
        own, other = refits[visited].sum(axis=0), refits[instead_of].sum(axis=0)
        spread = {"reached": _spread(own), "difference": _spread(other - own), "ratio": np.nan}
        if (own > 0).all() and (other > 0).all():
            spread["ratio"] = _spread(np.log(other / own))
    z = NormalDist().inv_cdf((1 + level) / 2)
    said: dict[str, float] = {}
    for name, at in found.items():
        low, high = (sign * z * spread[name] for sign in (-1, 1))
        ends = (at * np.exp(low), at * np.exp(high)) if name == "ratio" else (at + low, at + high)
        said |= {name: at, f"{name}_low": float(ends[0]), f"{name}_high": float(ends[1])}
    return said


def _spread(sums: Floats) -> float:
    return float(sums.std(ddof=1))


def _part(amount: float, of: float) -> float:
    return amount / of if of > 0 else float("nan")


def _areas(homes: pd.DataFrame, visited: Booleans) -> dict[str, int]:
    there = homes.area_id.dropna().nunique()
    return {"areas": there, "areas_with_none": there - homes.area_id[visited].dropna().nunique()}


def _costs(terms: Terms, made: Allocation) -> dict[str, int]:
    given = terms.offers[made.given]
    spent = given.groupby("owner").cost_idr.sum()
    owners = {f"services_{owner}_idr": int(spent.get(owner, 0)) for owner in sorted(terms.policy.budgets_idr)}
    visits = int(made.visited.sum()) * terms.policy.visit.cost_idr
    return {"services": len(given), "visits_idr": visits, **owners, "cost_idr": visits + sum(owners.values())}


def _with_krs(homes: pd.DataFrame, orders: pd.DataFrame) -> pd.DataFrame:
    if "krs" not in orders:
        return homes
    return homes.assign(krs=homes.household_id.map(orders.set_index("household_id").krs))


def _coverage(homes: pd.DataFrame, visited: dict[str, Booleans]) -> pd.DataFrame:
    """Of each group, how many an order visits; groups in their own order, those of whom it is not known last."""
    parts = [
        part.assign(plan=plan, dimension=dimension)
        for dimension in DIMENSIONS
        if dimension in homes
        for plan, chosen in visited.items()
        for part in [_by_group(homes[dimension], chosen)]
    ]
    table = pd.concat(parts, ignore_index=True)
    return table[["plan", "dimension", "group", "households", "visited", "share"]]


def _by_group(values: pd.Series, chosen: Booleans) -> pd.DataFrame:
    counted = pd.DataFrame({"value": values.to_numpy(), "visited": chosen}).groupby("value", dropna=False, sort=True)
    found = counted.visited.agg(households="size", visited="sum").reset_index()
    names = [_named(value) for value in found.value]
    return found.assign(group=names, share=found.visited / found.households)


def _named(value: object) -> str:
    if pd.isna(value):  # type: ignore[call-overload]  # a cell
        return NOT_KNOWN
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _notes(apart: pd.DataFrame) -> Iterator[str]:
    if len(apart):
        counts = ", ".join(f"{why}: {count:,}" for why, count in apart.why.value_counts().sort_index().items())
        yield f"{len(apart):,} households compete in none of these orders ({counts})"
