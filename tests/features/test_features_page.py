# ruff: noqa: E501 (one value and its words a line)

from pathlib import Path

import pytest

from features.catalog import BY_NAME, CATALOG, EARLIER
from features.catalog.wording import BELOW, BINARY, NUMBERS, STEPS, reason
from features.features_page import page

COMMITTED = Path(__file__).parents[2] / "docs" / "features.md"


def test_the_committed_page_is_the_generated_one():
    assert page() == COMMITTED.read_text(encoding="utf-8")


def test_every_feature_is_on_the_page_once():
    assert all(1 == page().count(f"| `{f.name}` |") for f in (*CATALOG, *EARLIER))


@pytest.mark.parametrize("feature", CATALOG, ids=list(BY_NAME))
def test_every_feature_has_words_in_both_languages_for_low_high_and_null(feature):
    low, high = (reason(feature, float(v)) for v in feature.valid)
    unknown = reason(feature, None)

    assert all(text.strip() and "{" not in text for w in (low, high, unknown) for text in (w.id, w.en))
    assert low != high or feature.name == "birth_month_sin"
    assert unknown.id.startswith("tidak diketahui: ")
    assert unknown.en.startswith("not known: ")
    assert unknown == reason(feature, float("nan"))


def test_no_words_are_left_for_a_feature_that_is_gone():
    assert set() == {*BINARY, *STEPS, *NUMBERS, *BELOW} - set(BY_NAME)


@pytest.mark.parametrize("name", STEPS)
def test_an_ordered_code_has_words_for_each_of_its_steps(name):
    low, high = BY_NAME[name].valid

    assert len(STEPS[name]) == high - low + 1


@pytest.mark.parametrize(
    ("name", "value", "indonesian", "english"),
    [
        ("mother_height_cm", 147, "ibu lebih pendek dari 150 cm (147 cm)", "mother shorter than 150 cm (147 cm)"),
        ("mother_height_cm", 149.96, "ibu lebih pendek dari 150 cm (149,9 cm)", "mother shorter than 150 cm (149.9 cm)"),
        ("mother_height_cm", 152.5, "tinggi badan ibu: 152,5 cm", "mother's height: 152.5 cm"),
        ("birth_weight_g", 2300, "berat lahir rendah: 2.300 g", "low birth weight: 2,300 g"),
        ("birth_weight_g", 2500, "berat lahir: 2.500 g", "birth weight: 2,500 g"),
        ("owns_fridge", 0, "tidak memiliki kulkas", "does not have a refrigerator"),
        ("floor_quality", 3, "lantai rumah: tanah", "floor: earth"),
        ("age_months", 1, "umur anak: 1 bulan", "child's age: 1 month"),
        ("under5_share", 0.4, "porsi balita dalam rumah tangga: 40%", "share of under-fives in the household: 40%"),
        ("birth_month_sin", None, "tidak diketahui: musim lahir", "not known: season of birth"),
    ],
)  # fmt: skip
def test_a_value_is_said_in_plain_words(name, value, indonesian, english):
    words = reason(BY_NAME[name], value)

    assert (indonesian, english) == (words.id, words.en)
