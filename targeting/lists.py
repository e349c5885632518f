"""Scored households -> the list that was asked for, and its files. It opens no model, so it answers at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from features.errors import InputRefused, Refused
from targeting.export import picture, write_csv, write_xlsx
from targeting.households import part_urgent, score_households
from targeting.worklist import Worklist, worklist

if TYPE_CHECKING:
    from pathlib import Path

    from features.settings import Settings

WHY_NONE = {
    "find": "find, only a pregnancy: `tepat worklist --objective prevent` ranks them",
    "prevent": "prevent stunting of, all are past 24 months: `tepat worklist --objective find` ranks them",
}
SIMULATED = (
    "ya: tidak ada orang nyata di dalamnya; jangan dipakai untuk kunjungan / "
    "yes: nobody in it exists; do not use it for visits"
)
UNSURE = (
    "tidak diketahui: model tanpa pelatihan ulang, jadi tanpa selang",
    "how settled the end of the list is cannot be said: the model has no refits, so risks have no interval",
)
ON_REGISTER = (
    "tingkat register; perlu survei agar dapat dibaca sebagai prevalensi",
    "risks are on the register's level; set `survey` in params.yaml before they are read as prevalence",
)
SIGNS = {
    "whz": ("BB/TB", "weight-for-height"),
    "muac_cm": ("LiLA", "arm circumference"),
    "oedema": ("edema", "oedema"),
    "haemoglobin_g_dl": ("Hb", "haemoglobin"),
}


def _urgency(children: int, women: int, signs: pd.DataFrame) -> tuple[str, str]:
    """Who is in danger, and which signs could not be looked at: in Indonesian and in English."""
    looked = signs.measurements > 0
    unseen = [SIGNS[s] for s in signs.sign[~looked]]
    unseen_id, unseen_en = (", ".join(words) for words in zip(*unseen, strict=True)) if unseen else ("", "")
    if not looked.any():
        return f"tidak dapat dibuat: tanpa data {unseen_id}", f"no urgent list: the registers lack {unseen_en}"
    # Where nobody looked at women, a count of none would read as a finding.
    of_women = "haemoglobin_g_dl" in set(signs.sign[looked])
    said_id = f"{children} anak" + (f" dan {women} perempuan" if of_women else "")
    said_en = f"{children:,} children" + (f" and {women:,} women" if of_women else "")
    said_en += " on the urgent list"
    if unseen:
        return f"{said_id}; {unseen_id} tidak tersedia", f"{said_en}, which could not look at {unseen_en}"
    return said_id, said_en


@dataclass(frozen=True, eq=False)
class ScoredHomes:
    """The households that can stand on a list, and what a reader should know of those that cannot."""

    competing: pd.DataFrame
    said: tuple[str, ...]


def listed(
    settings: Settings, *, capacity: int | None = None, regions: list[str] | None = None, objective: str | None = None
) -> tuple[Worklist, pd.DataFrame]:
    """The priority list of the scored households, and those households.

    Raises
    ------
    Refused
        Nothing was scored yet, or what was asked for cannot be: a region that is not known.
    """
    homes = scored_homes(settings, objective=objective or settings.target.objective)
    made = chosen(homes.competing, settings, capacity=capacity, regions=regions)
    for line in (*homes.said, _band(made, settings)[1], _level(settings)[1]):
        print(line)
    return made, homes.competing


def chosen(homes: pd.DataFrame, settings: Settings, *, capacity: int | None, regions: list[str] | None) -> Worklist:
    """The list of the competing households; without a capacity, that of `params.yaml`.

    Raises
    ------
    Refused
        A region is not known.
    """
    within = homes[homes.region_id.isin(regions)] if regions else homes
    visits = capacity if capacity is not None else round(settings.target.capacity_share * len(within))
    try:
        return worklist(homes, capacity=visits, salt=settings.target.round_name, regions=regions)
    except ValueError as fault:
        raise Refused(str(fault)) from fault


def scored_homes(settings: Settings, *, objective: str) -> ScoredHomes:
    """The scored households with their risk for the objective.

    Raises
    ------
    Refused
        Nothing was scored yet.
    """
    scores = read_scores(settings, "units")
    ranked, referred = part_urgent(scores, in_danger(settings))
    homes = score_households(ranked, objective=objective)
    homes = homes.merge(pd.read_parquet(settings.paths.scores / "facts.parquet"), on="household_id", validate="1:1")
    areas = pd.read_parquet(settings.paths.interim / "area.parquet")[["area_id", "area_name"]]
    homes = homes.merge(areas, on="area_id", how="left").assign(model_version=scores.model_version.iloc[0])
    more = read_scores(settings, "households")[["household_id", "objective", "risk_low", "risk_high", "risk_survey"]]
    homes = homes.merge(more, on=["household_id", "objective"], how="left", validate="1:1")
    said = []
    if homes.risk.isna().any():
        said.append(f"{int(homes.risk.isna().sum()):,} households have no child to {WHY_NONE[objective]}")
    competing = homes[homes.risk.notna()].reset_index(drop=True)
    if len(referred):
        still = competing.household_id.isin(referred.household_id).sum()
        said.append(
            f"{_counted(referred)} on the urgent list are not ranked; "
            f"{still:,} of their households compete for others in them"
        )
    return ScoredHomes(competing, tuple(said))


def in_danger(settings: Settings) -> pd.DataFrame:
    """The urgent list that was made with the scores.

    Raises
    ------
    InputRefused
        There is none, or it was made before women stood on it.
    """
    found = read_scores(settings, "urgent")
    if "mother_id" not in found:
        raise InputRefused(
            "an urgent list without women", "one with `mother_id`", "Run `make run` or `tepat score` again."
        )
    return found


def _counted(referred: pd.DataFrame) -> str:
    unborn = int((referred.unit_kind == "pregnancy").sum())
    children = f"{len(referred) - unborn:,} children"
    return f"{children} and {unborn:,} pregnancies" if unborn else children


def read_scores(settings: Settings, name: str) -> pd.DataFrame:
    """A table that the stage `score` made; `InputRefused` where there is none."""
    path = settings.paths.scores / f"{name}.parquet"
    if not path.exists():
        raise InputRefused(f"no {path}", "scored households", "Run `make run` or `tepat score` first.")
    return pd.read_parquet(path)


def _band(made: Worklist, settings: Settings) -> tuple[str, str]:
    """Whose place is not settled, in Indonesian and in English."""
    if made.band is None:
        return UNSURE
    level = f"{read_scores(settings, 'households').interval_level.iloc[0]:.0%}"
    listed, unlisted = made.band.listed, made.band.unlisted
    said_id = f"{listed} keluarga di daftar bisa juga di luar, {unlisted} di luar bisa juga masuk (selang {level})"
    said_en = f"{listed:,} of the listed could as well have been left out, and {unlisted:,} of the others been in"
    return said_id, f"{said_en} (their {level} interval contains the risk of the last one listed)"


def _level(settings: Settings) -> tuple[str, str]:
    """On which level the risks are, in Indonesian and in English."""
    whole = read_scores(settings, "level").iloc[-1]
    if pd.isna(whole.survey):
        return ON_REGISTER
    register = f"{whole.share_register:.1%}"
    ends = f"{whole.share_survey:.1%} ({whole.share_survey_low:.1%} - {whole.share_survey_high:.1%})"
    said_id = f"diurutkan menurut risiko tingkat register, rata-rata anak {register}; di sampingnya"
    said_en = f"ranked by risks on the register's level, a mean of {register} over children; beside them"
    return (
        f"{said_id} risiko tingkat survei: {ends}".replace(".", ",") + f", {whole.survey}",
        f"{said_en} the same risks on the survey's level: {ends}, {whole.survey}",
    )


def publish(settings: Settings, made: Worklist, homes: pd.DataFrame, *, folder: Path) -> None:
    """Write CSV, XLSX, the urgent list, what to expect by region and a picture into `folder`."""
    urgent_rows = in_danger(settings)
    folder.mkdir(parents=True, exist_ok=True)
    children, women = (int(urgent_rows[key].notna().sum()) for key in ("child_id", "mother_id"))
    said = _urgency(children, women, pd.read_parquet(settings.paths.scores / "urgent_signs.parquet"))
    meta = {
        "model_version": homes.model_version.iloc[0],
        "as_of": f"{homes.freshest_on.max():%Y-%m-%d}",
        "objective": homes.objective.iloc[0],
        "urgent": " / ".join(said),
        "boundary": " / ".join(_band(made, settings)),
        "level": " / ".join(_level(settings)),
        **({"simulated": SIMULATED} if settings.source.simulated else {}),
    }
    write_csv(made.rows, folder / "worklist.csv")
    write_csv(urgent_rows, folder / "urgent.csv")
    write_csv(read_scores(settings, "level"), folder / "level.csv")
    write_xlsx(made, urgent_rows, folder / "worklist.xlsx", meta=meta)
    picture(made, homes, folder / "by_region.png")
    print(f"{len(made.rows):,} of {made.eligible:,} households listed; {said[1]}")
