import dataclasses

import numpy as np
import pandas as pd
import pytest

from features.catalog import BY_NAME, CATALOG
from targeting.reasons import GROUP_OF, GROUPS, UNSAID, explain


def explained(facts, **limits):
    """One row, drawn as {feature: (value, contribution)}."""
    values = pd.DataFrame({f: [v] for f, (v, _) in facts.items()}, index=["ana"], dtype=float)
    weights = pd.DataFrame({f: [w] for f, (_, w) in facts.items()}, index=["ana"], dtype=float)
    return explain(values, weights, **limits).loc["ana"]


def test_the_strongest_facts_come_first_in_both_languages():
    ana = explained({"caesarean": (1, 0.2), "mother_height_cm": (147, 0.5), "floor_quality": (3, 0.3)})

    assert ["mother_height_cm", "floor_quality", "caesarean"] == ana.reason_features
    assert [
        "ibu lebih pendek dari 150 cm (147 cm)",
        "lantai rumah: tanah",
        "lahir dengan operasi sesar",
    ] == ana.reasons_id
    assert ["mother shorter than 150 cm (147 cm)", "floor: earth", "born by caesarean"] == ana.reasons_en


def test_a_fact_that_lowers_the_risk_never_pads_the_list():
    ana = explained({"caesarean": (1, 0.2), "mother_smokes": (1, -0.5), "head_age": (40, 0.0)})

    assert ["caesarean"] == ana.reason_features


def test_a_group_gives_one_reason_with_its_summed_weight_and_its_strongest_members_words():
    ana = explained({"caesarean": (1, 0.5), "mother_height_cm": (147, 0.25), "mother_short": (1, 0.3)})

    assert ["mother_short", "caesarean"] == ana.reason_features


def test_a_group_that_lowers_the_risk_in_sum_gives_no_reason():
    ana = explained({"owns_tv": (0, 0.2), "wealth_quintile": (5, -0.6), "caesarean": (1, 0.1)})

    assert ["caesarean"] == ana.reason_features


def test_a_protected_feature_is_never_shown(monkeypatch):
    protected = dataclasses.replace(BY_NAME["head_female"], protected=True)
    monkeypatch.setitem(BY_NAME, "head_female", protected)

    ana = explained({"head_female": (1, 0.9), "caesarean": (1, 0.1)})

    assert ["caesarean"] == ana.reason_features


def test_sex_and_town_weigh_in_the_model_and_are_never_shown():
    ana = explained({"male": (1, 0.9), "urban": (1, 0.8), "caesarean": (1, 0.1)})

    assert ["caesarean"] == ana.reason_features
    assert [] == explained(dict.fromkeys(UNSAID, (1, 0.5))).reason_features
    assert set(UNSAID) <= set(BY_NAME)


def test_a_known_fact_comes_before_an_unknown_one_of_equal_weight():
    ana = explained({"head_age": (None, 0.2), "caesarean": (1, 0.2), "iron_days": (None, 0.1), "iron_given": (0, 0.1)})

    assert ["caesarean", "iron_given"] == sorted(ana.reason_features[:2])
    assert "tidak diketahui: umur kepala keluarga" == ana.reasons_id[2]


def test_past_three_only_a_reason_of_a_tenth_of_the_first_is_shown_and_never_more_than_five():
    names = ["caesarean", "mother_smokes", "altitude_m", "head_age", "member_count", "tetanus_doses"]

    few = explained({n: (1, w) for n, w in zip(names, [1, 0.05, 0.04, 0.03, 0.02, 0.01], strict=True)})
    many = explained(dict.fromkeys(names, (1, 0.5)))

    assert names[:3] == few.reason_features
    assert 5 == len(many.reason_features)


def test_the_rows_keep_their_index_and_an_empty_table_stays_empty():
    table = pd.DataFrame({"caesarean": [1.0, 0.0], "mother_smokes": [0.0, np.nan]}, index=["b", "a"])
    weights = pd.DataFrame({"caesarean": [0.1, -0.1], "mother_smokes": [0.2, -0.2]}, index=["b", "a"])

    assert {"b": ["mother_smokes", "caesarean"], "a": []} == explain(table, weights).reason_features.to_dict()
    assert explain(table[:0], weights[:0]).empty


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        (pd.DataFrame({"caesarean": [0.1]}, index=["b"]), "different indexes"),
        (pd.DataFrame({"shoe": [0.1]}, index=["a"]), "'shoe'"),
        (pd.DataFrame({"caesarean": [np.nan]}, index=["a"]), "not finite"),
    ],
)
def test_tables_that_do_not_belong_together_are_refused(weights, said):
    with pytest.raises(ValueError, match=said):
        explain(pd.DataFrame({"caesarean": [1.0]}, index=["a"]), weights)


def test_every_grouped_feature_is_in_the_catalogue_and_in_one_group():
    assert set() == set(GROUP_OF) - set(BY_NAME)
    assert len(GROUP_OF) == sum(len(names) for names in GROUPS.values())


def test_every_child_with_mixed_facts_has_three_to_five_reasons():
    chance = np.random.default_rng(1)
    names, shape = [f.name for f in CATALOG], (5_000, len(CATALOG))
    low, high = np.array([f.valid for f in CATALOG], dtype=float).T
    values = pd.DataFrame(chance.uniform(low, high, shape), columns=names).mask(chance.random(shape) < 0.1)
    weights = pd.DataFrame(chance.normal(size=shape), columns=names)

    reasons = explain(values, weights)

    assert reasons.reason_features.str.len().between(3, 5).all()
