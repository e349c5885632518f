import dataclasses

import numpy as np
import pytest

from features.catalog import BY_NAME, CATALOG
from targeting.reasons import GROUP_OF, GROUPS, UNSAID, explain


def explained(facts):
    """The reasons of one row, drawn as {feature: (value, contribution)}."""
    values, weights = (np.array([row], dtype=float) for row in zip(*facts.values(), strict=True))
    return explain(tuple(facts), values, weights)[0]


def features(reasons):
    return [reason.feature for reason in reasons]


def test_the_strongest_facts_come_first_in_both_languages():
    ana = explained({"caesarean": (1, 0.2), "mother_height_cm": (147, 0.5), "floor_quality": (3, 0.3)})

    assert ["mother_height_cm", "floor_quality", "caesarean"] == features(ana)
    assert [
        "ibu lebih pendek dari 150 cm (147 cm)",
        "lantai rumah: tanah",
        "lahir dengan operasi sesar",
    ] == [reason.text_id for reason in ana]
    assert ["mother shorter than 150 cm (147 cm)", "floor: earth", "born by caesarean"] == [
        reason.text_en for reason in ana
    ]


def test_a_fact_that_lowers_the_risk_never_pads_the_list():
    ana = explained({"caesarean": (1, 0.2), "mother_smokes": (1, -0.5), "head_age": (40, 0.0)})

    assert ["caesarean"] == features(ana)


def test_a_group_gives_one_reason_with_its_summed_weight_and_its_strongest_members_words():
    ana = explained({"caesarean": (1, 0.5), "mother_height_cm": (147, 0.25), "mother_short": (1, 0.3)})

    assert ["mother_short", "caesarean"] == features(ana)
    assert pytest.approx([0.55, 0.5]) == [reason.weight for reason in ana]


def test_a_group_that_lowers_the_risk_in_sum_gives_no_reason():
    ana = explained({"owns_tv": (0, 0.2), "wealth_quintile": (5, -0.6), "caesarean": (1, 0.1)})

    assert ["caesarean"] == features(ana)


def test_a_protected_feature_is_never_shown(monkeypatch):
    protected = dataclasses.replace(BY_NAME["head_female"], protected=True)
    monkeypatch.setitem(BY_NAME, "head_female", protected)

    ana = explained({"head_female": (1, 0.9), "caesarean": (1, 0.1)})

    assert ["caesarean"] == features(ana)


def test_sex_and_town_weigh_in_the_model_and_are_never_shown():
    ana = explained({"male": (1, 0.9), "urban": (1, 0.8), "caesarean": (1, 0.1)})

    assert ["caesarean"] == features(ana)
    assert [] == features(explained(dict.fromkeys(UNSAID, (1, 0.5))))
    assert set(UNSAID) <= set(BY_NAME)


def test_a_known_fact_comes_before_an_unknown_one_of_equal_weight():
    ana = explained({"head_age": (None, 0.2), "caesarean": (1, 0.2), "iron_days": (None, 0.1), "iron_given": (0, 0.1)})

    assert ["caesarean", "iron_given"] == sorted(features(ana)[:2])
    assert "tidak diketahui: umur kepala keluarga" == ana[2].text_id


def test_past_three_only_a_reason_of_a_tenth_of_the_first_is_shown_and_never_more_than_five():
    names = ["caesarean", "mother_smokes", "altitude_m", "head_age", "member_count", "tetanus_doses"]

    few = explained({n: (1, w) for n, w in zip(names, [1, 0.05, 0.04, 0.03, 0.02, 0.01], strict=True)})
    many = explained(dict.fromkeys(names, (1, 0.5)))

    assert names[:3] == features(few)
    assert 5 == len(features(many))


def test_each_row_has_its_own_reasons_and_no_row_has_none():
    names = ("caesarean", "mother_smokes")
    values, weights = np.array([[1.0, 0.0], [0.0, np.nan]]), np.array([[0.1, 0.2], [-0.1, -0.2]])

    assert [["mother_smokes", "caesarean"], []] == [features(one) for one in explain(names, values, weights)]
    assert [] == explain(names, values[:0], weights[:0])


@pytest.mark.parametrize(
    ("name", "weights", "said"),
    [
        ("caesarean", [[0.1], [0.2]], r"give both 1 columns, equal rows"),
        ("shoe", [[0.1]], "'shoe'"),
        ("caesarean", [[np.nan]], "not finite"),
    ],
)
def test_what_does_not_belong_together_is_refused(name, weights, said):
    with pytest.raises(ValueError, match=said):
        explain((name,), np.array([[1.0]]), np.array(weights))


def test_every_grouped_feature_is_in_the_catalogue_and_in_one_group():
    assert set() == set(GROUP_OF) - set(BY_NAME)
    assert len(GROUP_OF) == sum(len(names) for names in GROUPS.values())


def test_every_child_with_mixed_facts_has_three_to_five_reasons():
    chance = np.random.default_rng(1)
    names, shape = tuple(f.name for f in CATALOG), (5_000, len(CATALOG))
    low, high = np.array([f.valid for f in CATALOG], dtype=float).T
    values = np.where(chance.random(shape) < 0.1, np.nan, chance.uniform(low, high, shape))

    reasons = explain(names, values, chance.normal(size=shape))

    assert all(3 <= len(one) <= 5 for one in reasons)
