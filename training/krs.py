"""Keluarga Berisiko Stunting (KRS), BKKBN's official rule, as a declared and versioned configuration.

It reads feature columns, one row per child or pregnancy: every row's family has a child under five or a
pregnant wife, so every row is a target family (keluarga sasaran). Assumptions, where the features hold
less than BKKBN's form: a listed mother below 50 and a pregnant one are PUS; the birth gap is the row's
child's own.
"""

from __future__ import annotations

from typing import Final, Literal, get_args

import pandas as pd

from features.settings import Krs

Reading = Literal["kb_unknown_counts", "kb_unknown_does_not_count"]
FACILITIES: Final = ("air_tidak_layak", "jamban_tidak_layak")
FOUR_T: Final = ("terlalu_muda", "terlalu_tua", "terlalu_dekat", "terlalu_banyak")
FACTORS: Final = (*FACILITIES, *FOUR_T, "bukan_kb_modern")
YOUNG_BELOW: Final = 20  # years
OLD_FROM: Final = 35  # years
OLD_THROUGH: Final = 40  # completed years; no upper limit in pregnancy
PUS_BELOW: Final = 50  # years: a wife of 10-49 is PUS
MANY_FROM: Final = 3  # living children
PRIORITY: Final = 4  # the last rank of `kesejahteraan_prioritas`


class KrsRule(Krs):
    """The declared rule, and how it is read where the register is silent.

    Parameters
    ----------
    reading
        Whether four too's count for a wife whose contraception is not recorded.
    """

    reading: Reading = "kb_unknown_counts"


def readings(rows: pd.DataFrame, *, declared: Krs) -> tuple[KrsRule, ...]:
    """The ways to read the declared rule on these rows: one, unless unrecorded contraception decides some row."""
    made = tuple(KrsRule(reading=each, **declared.model_dump()) for each in get_args(Reading))
    answers = [flags(rows, rule=rule).krs for rule in made]
    return made if any(not answer.equals(answers[0]) for answer in answers) else made[:1]


def flags(rows: pd.DataFrame, *, rule: KrsRule) -> pd.DataFrame:
    """The seven screening factors, `krs`, and how many factors are met (`factor_count`, 0-7).

    All booleans; only `bukan_kb_modern` may be null: not recorded, or not applicable in pregnancy.
    A null age, gap or number of children meets no factor.

    References
    ----------
    BKKBN, *Buku Saku Metadata Indikator KRS*, 2022.
    """
    made = pd.concat([_facilities(rows, rule), _four_t(rows), _no_modern_kb(rows)], axis=1)
    four_t = made[list(FOUR_T)].any(axis=1) & _kb_clause(rows, made.bukan_kb_modern, rule)
    return made.assign(
        krs=made[list(FACILITIES)].any(axis=1) | four_t,
        factor_count=made[list(FACTORS)].fillna(value=False).astype(int).sum(axis=1),
    )


def recorded(rows: pd.DataFrame) -> pd.DataFrame:
    """Whether the register holds what each of the seven factors asks; a boolean per factor.

    `flags` answers for unrecorded facts too, as the rule does; this tells such an answer from a known one.
    """
    mother = (rows.mother_listed == 1) | _pregnant(rows)
    known = {"air_tidak_layak": rows.water_krs_safe.notna(), "jamban_tidak_layak": rows.toilet_krs_safe.notna()}
    known |= dict.fromkeys(FOUR_T, mother)
    return pd.DataFrame(known | {"bukan_kb_modern": _no_modern_kb(rows).notna()})


def welfare_decile(rows: pd.DataFrame) -> pd.Series:
    """Recorded welfare, 1 (poorest) to 10: the decile, else the middle of the wealth quintile's two."""
    return rows.desil.astype(float).fillna(2 * rows.wealth_quintile.astype(float) - 0.5)


def welfare_rank(rows: pd.DataFrame) -> pd.Series:
    """`kesejahteraan_prioritas`, 1 (poorest) to 4, by decile, else by wealth quintile; null is not priority."""
    rank = rows.desil.astype(float).fillna(rows.wealth_quintile.astype(float))
    return rank.where(rank.between(1, PRIORITY))


def _facilities(rows: pd.DataFrame, rule: KrsRule) -> pd.DataFrame:
    unrecorded = 1.0 if rule.null_facility == "layak" else 0.0
    safe = {"air_tidak_layak": rows.water_krs_safe, "jamban_tidak_layak": rows.toilet_krs_safe}
    return pd.DataFrame({name: value.astype(float).fillna(unrecorded) == 0 for name, value in safe.items()})


def _four_t(rows: pd.DataFrame) -> pd.DataFrame:
    age, pregnant = rows.mother_age.astype(float), _pregnant(rows)
    # Birth order stands in for living children where these are null: it counts siblings who died,
    # and no younger ones.
    children = rows.living_children.astype(float).fillna(rows.birth_order.astype(float))
    made = pd.DataFrame(
        {
            "terlalu_muda": age < YOUNG_BELOW,
            "terlalu_tua": (age >= OLD_FROM) & ((age < OLD_THROUGH + 1) | pregnant),
            "terlalu_dekat": rows.short_interval == 1,
            "terlalu_banyak": children >= MANY_FROM,
        }
    )
    return made.where(((rows.mother_listed == 1) & ~(age >= PUS_BELOW)) | pregnant, other=False)


def _no_modern_kb(rows: pd.DataFrame) -> pd.Series:
    modern = rows.modern_contraception.astype(float)
    answer = (modern == 0).astype("boolean")
    return answer.mask(modern.isna() | _pregnant(rows)).rename("bukan_kb_modern")


def _kb_clause(rows: pd.DataFrame, no_modern_kb: pd.Series, rule: KrsRule) -> pd.Series:
    if not rule.four_t_requires_no_modern_kb:
        return pd.Series(data=True, index=rows.index)
    met = no_modern_kb.fillna(rule.reading == "kb_unknown_counts").astype(bool)
    return met.mask(_pregnant(rows), rule.pregnant_four_t_counts)


def _pregnant(rows: pd.DataFrame) -> pd.Series:
    return rows.mother_pregnant == 1
