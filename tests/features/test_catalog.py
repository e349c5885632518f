"""Every feature of the catalogue, drawn: the facts in the registers and the value they give."""

from __future__ import annotations

from fnmatch import filter as matching

import pandas as pd
import pytest

from features.build import add_history, build
from features.catalog import BY_NAME, CATALOG, View
from features.contracts import NEVER_FEATURES, REGISTERS
from features.validation import empty, validate
from tests.conftest import DUCKDB
from tests.drawn import drawn

FACTS = {name: r for name, r in REGISTERS.items() if name not in {"measurement", *NEVER_FEATURES}}
# Each line has a household, mother, pregnancy and child of its own, all recorded on this day.
DAY = "2024-06-01"
# `unknown` is an empty cell; a fact not named is one too.
EXAMPLES = drawn("""
    feature                  | facts                                                             | value  |
    -------------------------+-------------------------------------------------------------------+--------+
    owns_electricity         | household.has_electricity=yes                                     | 1      |
    owns_electricity         | household.has_electricity=no                                      | 0      |
    owns_radio               | household.has_radio=yes                                           | 1      |
    owns_radio               | household.has_radio=no                                            | 0      |
    owns_tv                  | household.has_tv=yes                                              | 1      |
    owns_tv                  | household.has_tv=no                                               | 0      |
    owns_fridge              | household.has_fridge=yes                                          | 1      |
    owns_fridge              | household.has_fridge=no                                           | 0      |
    owns_bicycle             | household.has_bicycle=yes                                         | 1      |
    owns_bicycle             | household.has_bicycle=no                                          | 0      |
    owns_motorcycle          | household.has_motorcycle=yes                                      | 1      |
    owns_motorcycle          | household.has_motorcycle=no                                       | 0      |
    owns_car                 | household.has_car=yes                                             | 1      |
    owns_car                 | household.has_car=no                                              | 0      |
    owns_phone               | household.has_phone=yes                                           | 1      |
    owns_phone               | household.has_phone=no                                            | 0      |
    asset_count              | household.has_*=yes                                               | 7      |
    asset_count              | household.has_*=yes, household.has_bicycle=unknown                | 7      |
    asset_count              | household.has_*=no, household.has_bicycle=yes                     | 0      |
    asset_count              | household.has_*=no, household.has_tv=yes, household.has_radio=yes | 2      |
    asset_count              | household.has_*=yes, household.has_car=unknown                    |        |
    gets_pkh                 | household.aid_pkh=yes                                             | 1      |
    gets_pkh                 | household.aid_pkh=no                                              | 0      |
    gets_bpnt                | household.aid_bpnt=yes                                            | 1      |
    gets_bpnt                | household.aid_bpnt=no                                             | 0      |
    gets_pbi                 | household.aid_pbi=yes                                             | 1      |
    gets_pbi                 | household.aid_pbi=no                                              | 0      |
    gets_blt_dd              | household.aid_blt_dd=yes                                          | 1      |
    gets_blt_dd              | household.aid_blt_dd=no                                           | 0      |
    gets_pkh                 | household.aid_bpnt=yes                                            |        |
    desil                    | household.desil=1                                                 | 1      |
    desil                    | household.desil=4                                                 | 4      |
    desil                    | household.desil=10                                                | 10     |
    wealth_quintile          | household.wealth_quintile=1                                       | 1      |
    wealth_quintile          | household.wealth_quintile=3                                       | 3      |
    wealth_quintile          | household.wealth_quintile=5                                       | 5      |
    floor_quality            | household.floor=finished                                          | 0      |
    floor_quality            | household.floor=cement                                            | 1      |
    floor_quality            | household.floor=rough                                             | 2      |
    floor_quality            | household.floor=earth                                             | 3      |
    wall_quality             | household.wall=finished                                           | 0      |
    wall_quality             | household.wall=rough                                              | 1      |
    wall_quality             | household.wall=natural                                            | 2      |
    roof_quality             | household.roof=finished                                           | 0      |
    roof_quality             | household.roof=rough                                              | 1      |
    roof_quality             | household.roof=natural                                            | 2      |
    fuel_ladder              | household.cooking_fuel=electricity                                | 0      |
    fuel_ladder              | household.cooking_fuel=gas                                        | 1      |
    fuel_ladder              | household.cooking_fuel=kerosene                                   | 2      |
    fuel_ladder              | household.cooking_fuel=coal                                       | 3      |
    fuel_ladder              | household.cooking_fuel=wood                                       | 4      |
    fuel_ladder              | household.cooking_fuel=residue                                    | 5      |
    fuel_ladder              | household.cooking_fuel=none                                       |        |
    solid_fuel               | household.cooking_fuel=electricity                                | 0      |
    solid_fuel               | household.cooking_fuel=gas                                        | 0      |
    solid_fuel               | household.cooking_fuel=kerosene                                   | 0      |
    solid_fuel               | household.cooking_fuel=coal                                       | 1      |
    solid_fuel               | household.cooking_fuel=wood                                       | 1      |
    solid_fuel               | household.cooking_fuel=residue                                    | 1      |
    solid_fuel               | household.cooking_fuel=none                                       | 0      |
    member_count             | household.member_count=1                                          | 1      |
    member_count             | household.member_count=5                                          | 5      |
    under5_count             | household.under5_count=0                                          | 0      |
    under5_count             | household.under5_count=2                                          | 2      |
    women_count              | household.women_15_49_count=0                                     | 0      |
    women_count              | household.women_15_49_count=1                                     | 1      |
    under5_share             | household.under5_count=2, household.member_count=6                | 0.3333 |
    under5_share             | household.under5_count=0, household.member_count=4                | 0      |
    under5_share             | household.under5_count=1, household.member_count=1                | 1      |
    under5_share             | household.under5_count=2                                          |        |
    under5_share             | household.member_count=6                                          |        |
    head_female              | household.head_sex=f                                              | 1      |
    head_female              | household.head_sex=m                                              | 0      |
    head_age                 | household.head_age_years=41                                       | 41     |
    water_improved           | sanitation.water_source=piped                                     | 1      |
    water_improved           | sanitation.water_source=packaged                                  | 1      |
    water_improved           | sanitation.water_source=piped_yard                                | 1      |
    water_improved           | sanitation.water_source=borehole                                  | 1      |
    water_improved           | sanitation.water_source=public_tap                                | 1      |
    water_improved           | sanitation.water_source=protected_well                            | 1      |
    water_improved           | sanitation.water_source=protected_spring                          | 1      |
    water_improved           | sanitation.water_source=well                                      | 0      |
    water_improved           | sanitation.water_source=tanker                                    | 1      |
    water_improved           | sanitation.water_source=rain                                      | 1      |
    water_improved           | sanitation.water_source=spring                                    | 0      |
    water_improved           | sanitation.water_source=unprotected_well                          | 0      |
    water_improved           | sanitation.water_source=unprotected_spring                        | 0      |
    water_improved           | sanitation.water_source=surface                                   | 0      |
    water_improved           | sanitation.water_source=other                                     | 0      |
    water_krs_safe           | sanitation.water_source=piped                                     | 1      |
    water_krs_safe           | sanitation.water_source=packaged                                  | 1      |
    water_krs_safe           | sanitation.water_source=piped_yard                                | 1      |
    water_krs_safe           | sanitation.water_source=borehole                                  | 1      |
    water_krs_safe           | sanitation.water_source=public_tap                                | 1      |
    water_krs_safe           | sanitation.water_source=protected_well                            | 1      |
    water_krs_safe           | sanitation.water_source=protected_spring                          | 1      |
    water_krs_safe           | sanitation.water_source=well                                      | 1      |
    water_krs_safe           | sanitation.water_source=tanker                                    | 0      |
    water_krs_safe           | sanitation.water_source=rain                                      | 0      |
    water_krs_safe           | sanitation.water_source=spring                                    | 0      |
    water_krs_safe           | sanitation.water_source=unprotected_well                          | 0      |
    water_krs_safe           | sanitation.water_source=unprotected_spring                        | 0      |
    water_krs_safe           | sanitation.water_source=surface                                   | 0      |
    water_krs_safe           | sanitation.water_source=other                                     | 0      |
    water_ladder             | sanitation.water_source=piped                                     | 0      |
    water_ladder             | sanitation.water_source=packaged                                  | 1      |
    water_ladder             | sanitation.water_source=piped_yard                                | 2      |
    water_ladder             | sanitation.water_source=borehole                                  | 3      |
    water_ladder             | sanitation.water_source=public_tap                                | 4      |
    water_ladder             | sanitation.water_source=protected_well                            | 5      |
    water_ladder             | sanitation.water_source=protected_spring                          | 6      |
    water_ladder             | sanitation.water_source=well                                      | 7      |
    water_ladder             | sanitation.water_source=tanker                                    | 8      |
    water_ladder             | sanitation.water_source=rain                                      | 9      |
    water_ladder             | sanitation.water_source=spring                                    | 10     |
    water_ladder             | sanitation.water_source=unprotected_well                          | 11     |
    water_ladder             | sanitation.water_source=unprotected_spring                        | 12     |
    water_ladder             | sanitation.water_source=surface                                   | 13     |
    water_ladder             | sanitation.water_source=other                                     |        |
    water_piped              | sanitation.water_source=piped                                     | 1      |
    water_piped              | sanitation.water_source=piped_yard                                | 1      |
    water_piped              | sanitation.water_source=public_tap                                | 0      |
    water_piped              | sanitation.water_source=packaged                                  | 0      |
    water_piped              | sanitation.water_source=surface                                   | 0      |
    water_minutes            | sanitation.water_minutes=0                                        | 0      |
    water_minutes            | sanitation.water_minutes=30.5                                     | 30.5   |
    water_far                | sanitation.water_minutes=0                                        | 0      |
    water_far                | sanitation.water_minutes=30                                       | 0      |
    water_far                | sanitation.water_minutes=30.5                                     | 1      |
    water_far                | sanitation.water_minutes=31                                       | 1      |
    water_far                | sanitation.water_source=surface                                   |        |
    water_service            | sanitation.water_source=surface                                   | 0      |
    water_service            | sanitation.water_source=unprotected_well                          | 1      |
    water_service            | sanitation.water_source=unprotected_spring                        | 1      |
    water_service            | sanitation.water_source=well                                      | 1      |
    water_service            | sanitation.water_source=spring                                    | 1      |
    water_service            | sanitation.water_source=other                                     | 1      |
    water_service            | sanitation.water_source=piped, sanitation.water_minutes=31        | 2      |
    water_service            | sanitation.water_source=borehole, sanitation.water_minutes=30     | 3      |
    water_service            | sanitation.water_source=piped, sanitation.water_minutes=0         | 3      |
    water_service            | sanitation.water_source=piped                                     |        |
    toilet_service           | sanitation.toilet=none                                            | 0      |
    toilet_service           | sanitation.toilet=pit_open                                        | 1      |
    toilet_service           | sanitation.toilet=flush_open                                      | 1      |
    toilet_service           | sanitation.toilet=hanging                                         | 1      |
    toilet_service           | sanitation.toilet=other                                           | 1      |
    toilet_service           | sanitation.toilet=pit_slab, sanitation.toilet_shared=yes          | 2      |
    toilet_service           | sanitation.toilet=flush_septic, sanitation.toilet_shared=yes      | 2      |
    toilet_service           | sanitation.toilet=flush_septic, sanitation.toilet_shared=no       | 3      |
    toilet_service           | sanitation.toilet=flush_septic                                    |        |
    toilet_improved          | sanitation.toilet=flush_sewer                                     | 1      |
    toilet_improved          | sanitation.toilet=flush_septic                                    | 1      |
    toilet_improved          | sanitation.toilet=flush_outside                                   | 1      |
    toilet_improved          | sanitation.toilet=flush_pit                                       | 1      |
    toilet_improved          | sanitation.toilet=pit_ventilated                                  | 1      |
    toilet_improved          | sanitation.toilet=pit_slab                                        | 1      |
    toilet_improved          | sanitation.toilet=flush_open                                      | 0      |
    toilet_improved          | sanitation.toilet=pit_open                                        | 0      |
    toilet_improved          | sanitation.toilet=hanging                                         | 0      |
    toilet_improved          | sanitation.toilet=none                                            | 0      |
    toilet_improved          | sanitation.toilet=other                                           | 0      |
    toilet_krs_safe          | sanitation.toilet=flush_sewer                                     | 1      |
    toilet_krs_safe          | sanitation.toilet=flush_septic                                    | 1      |
    toilet_krs_safe          | sanitation.toilet=flush_outside                                   | 1      |
    toilet_krs_safe          | sanitation.toilet=flush_pit                                       | 0      |
    toilet_krs_safe          | sanitation.toilet=pit_ventilated                                  | 0      |
    toilet_krs_safe          | sanitation.toilet=pit_slab                                        | 0      |
    toilet_krs_safe          | sanitation.toilet=flush_open                                      | 0      |
    toilet_krs_safe          | sanitation.toilet=pit_open                                        | 0      |
    toilet_krs_safe          | sanitation.toilet=hanging                                         | 0      |
    toilet_krs_safe          | sanitation.toilet=none                                            | 0      |
    toilet_krs_safe          | sanitation.toilet=other                                           | 0      |
    toilet_krs_safe          | sanitation.toilet_shared=no                                       |        |
    toilet_ladder            | sanitation.toilet=flush_sewer                                     | 0      |
    toilet_ladder            | sanitation.toilet=flush_septic                                    | 1      |
    toilet_ladder            | sanitation.toilet=flush_outside                                   | 2      |
    toilet_ladder            | sanitation.toilet=flush_pit                                       | 3      |
    toilet_ladder            | sanitation.toilet=pit_ventilated                                  | 4      |
    toilet_ladder            | sanitation.toilet=pit_slab                                        | 5      |
    toilet_ladder            | sanitation.toilet=flush_open                                      | 6      |
    toilet_ladder            | sanitation.toilet=pit_open                                        | 7      |
    toilet_ladder            | sanitation.toilet=hanging                                         | 8      |
    toilet_ladder            | sanitation.toilet=none                                            | 9      |
    toilet_ladder            | sanitation.toilet=other                                           |        |
    open_defecation          | sanitation.toilet=none                                            | 1      |
    open_defecation          | sanitation.toilet=hanging                                         | 0      |
    open_defecation          | sanitation.toilet=flush_open                                      | 0      |
    open_defecation          | sanitation.toilet=flush_septic                                    | 0      |
    open_defecation          | sanitation.toilet=unknown                                         |        |
    toilet_shared            | sanitation.toilet_shared=yes                                      | 1      |
    toilet_shared            | sanitation.toilet_shared=no                                       | 0      |
    handwashing_soap         | sanitation.handwashing_soap=yes                                   | 1      |
    handwashing_soap         | sanitation.handwashing_soap=no                                    | 0      |
    water_treated            | sanitation.water_treated=yes                                      | 1      |
    water_treated            | sanitation.water_treated=no                                       | 0      |
    area_odf                 | sanitation.open_defecation_free=yes                               | 1      |
    area_odf                 | sanitation.open_defecation_free=no                                | 0      |
    mother_height_cm         | maternal.height_cm=149.9                                          | 149.9  |
    mother_short             | maternal.height_cm=149.9                                          | 1      |
    mother_short             | maternal.height_cm=150                                            | 0      |
    mother_short             | maternal.height_cm=150.1                                          | 0      |
    mother_short             | maternal.weight_kg=45                                             |        |
    mother_bmi               | maternal.height_cm=150, maternal.weight_kg=45                     | 20     |
    mother_bmi               | maternal.height_cm=160, maternal.weight_kg=60                     | 23.44  |
    mother_bmi               | maternal.weight_kg=45                                             |        |
    mother_bmi               | maternal.height_cm=150                                            |        |
    mother_weight_kg         | maternal.weight_kg=45.5                                           | 45.5   |
    mother_muac_cm           | maternal.muac_cm=23.5                                             | 23.5   |
    mother_hb                | maternal.haemoglobin_g_dl=10.9                                    | 10.9   |
    mother_age               | maternal.age_years=28                                             | 28     |
    mother_age               | maternal.age_years=28.5                                           | 28.5   |
    mother_under20           | maternal.age_years=19                                             | 1      |
    mother_under20           | maternal.age_years=19.9                                           | 1      |
    mother_under20           | maternal.age_years=20                                             | 0      |
    mother_under20           | maternal.education=primary                                        |        |
    mother_over35            | maternal.age_years=34                                             | 0      |
    mother_over35            | maternal.age_years=34.9                                           | 0      |
    mother_over35            | maternal.age_years=35                                             | 1      |
    mother_over35            | maternal.education=primary                                        |        |
    mother_schooling         | maternal.education=none                                           | 0      |
    mother_schooling         | maternal.education=primary_incomplete                             | 1      |
    mother_schooling         | maternal.education=primary                                        | 2      |
    mother_schooling         | maternal.education=secondary_incomplete                           | 3      |
    mother_schooling         | maternal.education=secondary                                      | 4      |
    mother_schooling         | maternal.education=higher                                         | 5      |
    mother_school_years      | maternal.education_years=0                                        | 0      |
    mother_school_years      | maternal.education_years=9                                        | 9      |
    mother_reads             | maternal.literacy=none                                            | 0      |
    mother_reads             | maternal.literacy=part                                            | 1      |
    mother_reads             | maternal.literacy=whole                                           | 2      |
    mother_news              | maternal.reads_news=never                                         | 0      |
    mother_news              | maternal.reads_news=rarely                                        | 1      |
    mother_news              | maternal.reads_news=weekly                                        | 2      |
    mother_news              | maternal.reads_news=daily                                         | 3      |
    mother_tv                | maternal.watches_tv=never                                         | 0      |
    mother_tv                | maternal.watches_tv=rarely                                        | 1      |
    mother_tv                | maternal.watches_tv=weekly                                        | 2      |
    mother_tv                | maternal.watches_tv=daily                                         | 3      |
    mother_smokes            | maternal.smokes=yes                                               | 1      |
    mother_smokes            | maternal.smokes=no                                                | 0      |
    mother_pregnant          | maternal.pregnant=yes                                             | 1      |
    mother_pregnant          | maternal.pregnant=no                                              | 0      |
    mother_is_head_or_spouse | maternal.relation_to_head=head                                    | 1      |
    mother_is_head_or_spouse | maternal.relation_to_head=spouse                                  | 1      |
    mother_is_head_or_spouse | maternal.relation_to_head=child                                   | 0      |
    mother_is_head_or_spouse | maternal.relation_to_head=other_kin                               | 0      |
    mother_is_head_or_spouse | maternal.relation_to_head=not_kin                                 | 0      |
    living_children          | maternal.living_children=0                                        | 0      |
    living_children          | maternal.living_children=3                                        | 3      |
    modern_contraception     | maternal.contraception=modern                                     | 1      |
    modern_contraception     | maternal.contraception=traditional                                | 0      |
    modern_contraception     | maternal.contraception=none                                       | 0      |
    anc_visits               | pregnancy.anc_visits=0                                            | 0      |
    anc_visits               | pregnancy.anc_visits=7                                            | 7      |
    anc_first_month          | pregnancy.anc_first_month=0                                       | 0      |
    anc_first_month          | pregnancy.anc_first_month=3                                       | 3      |
    anc_six                  | pregnancy.anc_visits=0                                            | 0      |
    anc_six                  | pregnancy.anc_visits=5                                            | 0      |
    anc_six                  | pregnancy.anc_visits=6                                            | 1      |
    anc_six                  | pregnancy.anc_first_month=3                                       |        |
    iron_given               | pregnancy.iron_given=yes                                          | 1      |
    iron_given               | pregnancy.iron_given=no                                           | 0      |
    iron_days                | pregnancy.iron_days=0                                             | 0      |
    iron_days                | pregnancy.iron_days=90                                            | 90     |
    iron_days                | pregnancy.iron_given=no                                           |        |
    tetanus_doses            | pregnancy.tetanus_doses=0                                         | 0      |
    tetanus_doses            | pregnancy.tetanus_doses=2                                         | 2      |
    home_birth               | pregnancy.delivery_place=home                                     | 1      |
    home_birth               | pregnancy.delivery_place=public_hospital                          | 0      |
    home_birth               | pregnancy.delivery_place=public_clinic                            | 0      |
    home_birth               | pregnancy.delivery_place=private                                  | 0      |
    home_birth               | pregnancy.delivery_place=other                                    | 0      |
    skilled_attendant        | pregnancy.skilled_attendant=yes                                   | 1      |
    skilled_attendant        | pregnancy.skilled_attendant=no                                    | 0      |
    caesarean                | pregnancy.caesarean=yes                                           | 1      |
    caesarean                | pregnancy.caesarean=no                                            | 0      |
    unwanted                 | pregnancy.wanted=then                                             | 0      |
    unwanted                 | pregnancy.wanted=later                                            | 1      |
    unwanted                 | pregnancy.wanted=no                                               | 2      |
    age_months               | child.birth_date=2024-06-01                                       | 0      |
    age_months               | child.birth_date=2024-05-31                                       | 0.033  |
    age_months               | child.birth_date=2024-05-02                                       | 0.986  |
    age_months               | child.birth_date=2024-05-01                                       | 1.018  |
    age_months               | child.birth_date=2023-06-02                                       | 11.992 |
    age_months               | child.birth_date=2023-06-01                                       | 12.025 |
    age_months               | child.birth_date=2019-06-02                                       | 59.992 |
    male                     | child.sex=m                                                       | 1      |
    male                     | child.sex=f                                                       | 0      |
    birth_order              | child.birth_order=1                                               | 1      |
    birth_order              | child.birth_order=4                                               | 4      |
    first_born               | child.birth_order=1                                               | 1      |
    first_born               | child.birth_order=2                                               | 0      |
    birth_interval_months    | child.preceding_interval_months=31.5                              | 31.5   |
    short_interval           | child.preceding_interval_months=23                                | 1      |
    short_interval           | child.preceding_interval_months=23.9                              | 1      |
    short_interval           | child.preceding_interval_months=24                                | 0      |
    short_interval           | child.birth_order=1                                               |        |
    mother_listed            | child.mother_id=ana                                               | 1      |
    mother_listed            | child.mother_id=unknown                                           | 0      |
    mother_level             | child.mother_education=none                                       | 0      |
    mother_level             | child.mother_education=primary                                    | 1      |
    mother_level             | child.mother_education=secondary                                  | 2      |
    mother_level             | child.mother_education=higher                                     | 3      |
    birth_month_sin          | child.birth_date=2024-01-31                                       | 0      |
    birth_month_sin          | child.birth_date=2024-02-01                                       | 0.5    |
    birth_month_sin          | child.birth_date=2024-04-15                                       | 1      |
    birth_month_sin          | child.birth_date=2023-07-15                                       | 0      |
    birth_month_sin          | child.birth_date=2023-10-15                                       | -1     |
    birth_month_sin          | child.birth_date=2023-12-01                                       | -0.5   |
    birth_date_exact         | child.birth_date_precision=day                                    | 1      |
    birth_date_exact         | child.birth_date_precision=month                                  | 0      |
    birth_date_exact         | child.birth_date_precision=year                                   | 0      |
    birth_weight_g           | pregnancy.birth_weight_g=3150                                     | 3150   |
    low_birth_weight         | pregnancy.birth_weight_g=2499                                     | 1      |
    low_birth_weight         | pregnancy.birth_weight_g=2500                                     | 0      |
    low_birth_weight         | pregnancy.birth_weight_source=not_weighed                         |        |
    not_weighed_at_birth     | pregnancy.birth_weight_source=not_weighed                         | 1      |
    not_weighed_at_birth     | pregnancy.birth_weight_source=card                                | 0      |
    not_weighed_at_birth     | pregnancy.birth_weight_source=recall                              | 0      |
    not_weighed_at_birth     | pregnancy.birth_weight_g=3150                                     |        |
    weight_from_card         | pregnancy.birth_weight_source=card                                | 1      |
    weight_from_card         | pregnancy.birth_weight_source=recall                              | 0      |
    weight_from_card         | pregnancy.birth_weight_source=not_weighed                         | 0      |
    birth_size               | pregnancy.birth_size=very_large                                   | 0      |
    birth_size               | pregnancy.birth_size=large                                        | 1      |
    birth_size               | pregnancy.birth_size=average                                      | 2      |
    birth_size               | pregnancy.birth_size=small                                        | 3      |
    birth_size               | pregnancy.birth_size=very_small                                   | 4      |
    recent_birth_rank        | pregnancy.birth_rank_recent=1                                     | 1      |
    recent_birth_rank        | pregnancy.birth_rank_recent=2                                     | 2      |
    altitude_m               | area.altitude_m=-20                                               | -20    |
    altitude_m               | area.altitude_m=0                                                 | 0      |
    altitude_m               | area.altitude_m=3400                                              | 3400   |
    urban                    | area.urban=yes                                                    | 1      |
    urban                    | area.urban=no                                                     | 0      |
""")
# The mean over the other two households of the area; the own household's fact must not be in it.
NEIGHBOURS = drawn("""
    feature               | fact                      | own          | one          | other        | value  |
    ----------------------+---------------------------+--------------+--------------+--------------+--------+
    area_wealth           | household.wealth_quintile | 1            | 4            | 5            | 4.5    |
    area_wealth           | household.wealth_quintile | unknown      | 4            | 5            | 4.5    |
    area_wealth           | household.wealth_quintile | 1            | 4            | unknown      | 4      |
    area_wealth           | household.wealth_quintile | 1            | unknown      | unknown      |        |
    area_desil            | household.desil           | 1            | 2            | 9            | 5.5    |
    area_solid_fuel       | household.cooking_fuel    | wood         | wood         | gas          | 0.5    |
    area_solid_fuel       | household.cooking_fuel    | wood         | gas          | gas          | 0      |
    area_toilet_safe      | sanitation.toilet         | flush_septic | flush_septic | hanging      | 0.5    |
    area_toilet_safe      | sanitation.toilet         | hanging      | flush_septic | flush_septic | 1      |
    area_mother_schooling | maternal.education_years  | 16           | 6            | 9            | 7.5    |
    area_mother_height    | maternal.height_cm        | 140          | 150          | 155.5        | 152.75 |
    area_mother_height    | maternal.height_cm        | 140          | unknown      | 155.5        | 155.5  |
""")
HISTORY = drawn("""
    level  | place_id | known_from | prevalence | children
    -------+----------+------------+------------+---------
    region | r        | 2013-01-01 | 0.40       | 100
    region | r        | 2014-01-01 | 0.30       | 200
    area   | a        | 2013-01-01 | 0.50       | 10
    area   | a        | 2014-01-01 | 0.20       | 20
""")
SEEN = drawn("""
    unit_id              | as_of      | area_id | region_id | region_past_prevalence | area_past_prevalence |
    ---------------------+------------+---------+-----------+------------------------+----------------------+
    before any round     | 2012-12-31 | a       | r         |                        |                      |
    first day of a round | 2013-01-01 | a       | r         | 0.40                   | 0.50                 |
    last day of a round  | 2013-12-31 | a       | r         | 0.40                   | 0.50                 |
    newest of two rounds | 2016-06-01 | a       | r         | 0.30                   | 0.20                 |
    area without history | 2016-06-01 | b       | r         | 0.30                   | 0.30                 |
    area not known       | 2013-06-01 |         | r         | 0.40                   | 0.40                 |
    new region           | 2016-06-01 | c       | s         |                        |                      |
""")
ALWAYS_KNOWN = {"age_months", "birth_month_sin", "mother_listed"}


def said(name: str, facts: str = "", **keys: str) -> dict[str, dict[str, str | None]]:
    """A row in each register for one household and its child, with the facts filled in."""
    identifiers = ("area_id", "region_id", "household_id", "mother_id", "pregnancy_id", "child_id")
    cells = dict.fromkeys(identifiers, name) | {"recorded_on": DAY, "birth_date": "2023-06-01"} | keys
    rows = {r: {c: v for c, v in cells.items() if c in REGISTERS[r].names} for r in FACTS}
    for fact in facts.split(", ") if facts else ():
        place, value = fact.split("=")
        register, column = place.split(".")
        columns = matching(REGISTERS[register].names, column)
        assert columns, f"{place} is no column of a register."
        rows[register] |= dict.fromkeys(columns, None if value == "unknown" else value)
    return rows


def at_the_limits(end: int) -> str:
    """Every number of every register at its lowest (0) or highest (1) accepted value."""
    numbers = [(r.name, c) for r in FACTS.values() for c in r.columns if c.valid]
    return ", ".join(f"{register}.{c.name}={c.valid[end]}" for register, c in numbers)


def accepted(**rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Every register, as the validator hands it on; without rows where none are given."""
    return {
        name: validate(rows[name], register, max_quarantine_share=0).accepted if name in rows else empty(register)
        for name, register in REGISTERS.items()
    }


def ids(examples: pd.DataFrame) -> list[str]:
    facts = examples[[c for c in examples if c not in ("feature", "value")]].agg(" ".join, axis=1)
    return list(examples.feature + ": " + facts)


EXAMPLES["id"], NEIGHBOURS["id"] = ids(EXAMPLES), ids(NEIGHBOURS)


@pytest.fixture(scope="module")
def built(machine) -> pd.DataFrame:
    """The features of every line, by the line's id, on each engine."""
    lines = [said(e.id, e.facts) for e in EXAMPLES.itertuples()]
    for e in NEIGHBOURS.itertuples():
        others = (said(f"{e.id}, {n}", f"{e.fact}={value}", area_id=e.id) for n, value in enumerate((e.one, e.other)))
        lines += [said(e.id, f"{e.fact}={e.own}")]
        lines += [{r: rows[r] for r in ("household", "sanitation", "maternal")} for rows in others]
    lines += [said("asked nothing"), {"child": said("in no other register")["child"]}]
    lines += [said("lowest", at_the_limits(0)), said("highest", at_the_limits(1))]
    rows = {r: pd.DataFrame([line[r] for line in lines if r in line]) for r in FACTS}
    return build(accepted(**rows), machine).units.set_index("unit_id")


def outside(rows: pd.DataFrame) -> dict[str, list[float]]:
    """The values outside the range that their feature declares."""
    values = {f.name: rows[f.name].dropna() for f in CATALOG if f.name in rows}
    wrong = {name: list(v[~v.between(*BY_NAME[name].valid)]) for name, v in values.items()}
    return {name: v for name, v in wrong.items() if v}


@pytest.mark.parametrize("example", list(EXAMPLES.itertuples()), ids=EXAMPLES.id)
def test_a_feature_says_what_the_registers_say(built, example):
    assert pytest.approx(example.value, nan_ok=True) == built.loc[example.id, example.feature]


@pytest.mark.parametrize("example", list(NEIGHBOURS.itertuples()), ids=NEIGHBOURS.id)
def test_neighbours_are_the_other_households_of_the_area(built, example):
    assert pytest.approx(example.value, nan_ok=True) == built.loc[example.id, example.feature]


@pytest.mark.parametrize("name", [f.name for f in CATALOG if f.view is not View.HISTORY and f.name not in ALWAYS_KNOWN])
@pytest.mark.parametrize("child", ["asked nothing", "in no other register"])
def test_a_fact_that_is_not_known_is_null_and_never_zero(built, child, name):
    assert pd.isna(built.loc[child, name])


def test_every_feature_has_a_drawn_example_with_a_value():
    examples = pd.concat([EXAMPLES, NEIGHBOURS]).dropna(subset="value")

    assert set(BY_NAME) == {*examples.feature, *(set(SEEN) & set(BY_NAME))}


def test_every_code_of_a_register_that_a_feature_reads_is_drawn():
    drawn_facts = set(", ".join(EXAMPLES.facts).split(", "))
    read = {fact.split("=")[0] for fact in drawn_facts}
    codes = {f"{r.name}.{c.name}={code}" for r in REGISTERS.values() for c in r.columns for code in c.codes}

    assert set() == {fact for fact in codes if fact.split("=")[0] in read} - drawn_facts


def test_every_value_is_inside_the_range_its_feature_declares(built):
    assert {} == outside(built)


@pytest.mark.parametrize("name", [f.name for f in CATALOG if f.view not in (View.HISTORY, View.NEIGHBOURS)])
def test_a_register_at_its_limits_is_inside_the_range_of_the_feature(built, name):
    low, high = BY_NAME[name].valid

    limits = built.loc[["lowest", "highest"], name]
    known = limits.notna()

    # a value out of range would have become null, so both are known or, without a number behind them, neither is
    assert known.all() or not known.any()
    assert limits.dropna().between(low, high).all()


def test_age_is_counted_in_days_and_not_in_whole_months(built):
    older, younger = (built.age_months[f"age_months: child.birth_date={day}"] for day in ("2023-06-01", "2023-06-02"))

    assert pytest.approx(1 / 30.4375, abs=0.001) == older - younger


def test_a_pregnancy_has_its_mothers_facts_and_none_of_a_child(built):
    unit = built.loc["pregnancy-mother_pregnant: maternal.pregnant=yes"]

    assert ("pregnancy", 1.0) == (unit.unit_kind, unit.mother_pregnant)
    assert unit[[f.name for f in CATALOG if f.view in (View.CHILD, View.PREGNANCY)]].isna().all()


ANA = drawn("""
    child_id | household_id | mother_id | recorded_on | birth_date
    ---------+--------------+-----------+-------------+-----------
    ana      | ana          | ana       | 2024-06-01  | 2023-06-01
""")


def seen_by_ana(**rows: pd.DataFrame) -> pd.Series:
    """The features of ana on 2024-06-01; every area named in `rows` is in one region."""
    areas = pd.DataFrame({"area_id": sorted(set(rows["household"].area_id)), "region_id": "r"})
    return build(accepted(area=areas, child=ANA, **rows), DUCKDB).units.set_index("unit_id").loc["ana"]


def test_a_household_is_not_its_own_neighbour():
    households = drawn("""
        household_id | recorded_on | area_id | wealth_quintile
        -------------+-------------+---------+----------------
        ana          | 2024-01-10  | a       | 1
        ana          | 2024-05-10  | a       | 2
        budi         | 2024-05-10  | a       | 5
    """)

    assert 5.0 == seen_by_ana(household=households).area_wealth


def test_a_household_alone_in_its_area_has_no_neighbours():
    households = drawn("""
        household_id | recorded_on | area_id | wealth_quintile | desil | cooking_fuel
        -------------+-------------+---------+-----------------+-------+-------------
        ana          | 2024-05-10  | a       | 1               | 1     | wood
        budi         | 2024-05-10  | b       | 5               | 9     | gas
    """)
    mothers = drawn("""
        mother_id | household_id | recorded_on | height_cm | education_years
        ----------+--------------+-------------+-----------+----------------
        ana       | ana          | 2024-05-10  | 150       | 6
        budi      | budi         | 2024-05-10  | 160       | 9
    """)
    seen = seen_by_ana(household=households, maternal=mothers)

    assert seen[[f.name for f in CATALOG if f.view is View.NEIGHBOURS]].isna().all()


def test_a_household_recorded_after_the_as_of_date_is_not_a_neighbour_yet():
    households = drawn("""
        household_id | recorded_on | area_id | wealth_quintile
        -------------+-------------+---------+----------------
        ana          | 2024-05-10  | a       | 1
        budi         | 2024-06-01  | a       | 4
        citra        | 2024-06-02  | a       | 5
    """)

    assert 4.0 == seen_by_ana(household=households).area_wealth


def test_a_neighbours_newer_record_takes_the_place_of_the_older():
    households = drawn("""
        household_id | recorded_on | area_id | wealth_quintile | desil |
        -------------+-------------+---------+-----------------+-------+
        ana          | 2024-05-10  | a       | 1               | 1     |
        budi         | 2024-01-10  | a       | 2               | 3     |
        budi         | 2024-05-10  | a       | 4               |       |
        budi         | 2024-07-10  | a       | 5               | 9     |
    """)
    seen = seen_by_ana(household=households)

    assert 4.0 == seen.area_wealth
    assert pd.isna(seen.area_desil)


def test_a_household_that_moved_is_a_neighbour_only_where_it_lives_now():
    households = drawn("""
        household_id | recorded_on | area_id | wealth_quintile
        -------------+-------------+---------+----------------
        ana          | 2024-01-10  | b       | 1
        ana          | 2024-05-10  | a       | 1
        budi         | 2024-01-10  | a       | 3
        budi         | 2024-05-10  | b       | 3
        citra        | 2024-01-10  | b       | 5
        citra        | 2024-05-10  | a       | 5
    """)

    assert 5.0 == seen_by_ana(household=households).area_wealth


def test_several_mothers_of_a_household_count_as_one_household():
    households = drawn("""
        household_id | recorded_on | area_id
        -------------+-------------+--------
        ana          | 2024-05-10  | a
        budi         | 2024-05-10  | a
        citra        | 2024-05-10  | a
    """)
    mothers = drawn("""
        mother_id | household_id | recorded_on | height_cm
        ----------+--------------+-------------+----------
        ana       | ana          | 2024-05-10  | 140
        aunt      | ana          | 2024-05-10  | 170
        budi      | budi         | 2024-05-10  | 150
        beti      | budi         | 2024-05-10  | 160
        citra     | citra        | 2024-05-10  | 145
    """)

    assert 150.0 == seen_by_ana(household=households, maternal=mothers).area_mother_height


def test_a_mother_counts_where_her_household_lives_and_with_whom_she_lives_now():
    households = drawn("""
        household_id | recorded_on | area_id
        -------------+-------------+--------
        ana          | 2024-01-10  | b
        ana          | 2024-05-10  | a
        budi         | 2024-05-10  | a
        citra        | 2024-01-10  | b
        citra        | 2024-05-10  | a
        dewi         | 2024-01-10  | a
    """)
    mothers = drawn("""
        mother_id | household_id | recorded_on | height_cm
        ----------+--------------+-------------+----------
        ana       | ana          | 2024-01-05  | 130
        budi      | budi         | 2024-01-05  | 150
        beti      | budi         | 2024-05-20  | 160
        citra     | citra        | 2024-01-05  | 145
        moved     | dewi         | 2024-01-05  | 190
        moved     | other        | 2024-05-05  | 190
    """)

    assert 150.0 == seen_by_ana(household=households, maternal=mothers).area_mother_height


def test_what_cannot_be_is_not_known():
    households = drawn("""
        household_id | recorded_on | area_id | member_count | under5_count
        -------------+-------------+---------+--------------+-------------
        ana          | 2024-05-10  | a       | 1            | 15
    """)

    assert pd.isna(seen_by_ana(household=households).under5_share)


def with_history(machine) -> pd.DataFrame:
    keys = SEEN[["unit_id", "as_of", "area_id", "region_id"]]
    keys = keys.assign(unit_kind="child", child_id=keys.unit_id, household_id=keys.unit_id, mother_id=keys.unit_id)
    return add_history(keys, HISTORY, on=machine).set_index("unit_id")


@pytest.mark.parametrize("name", ["region_past_prevalence", "area_past_prevalence"])
def test_the_newest_round_that_had_ended_is_the_one_known_and_an_area_without_one_takes_its_regions(machine, name):
    seen = with_history(machine)

    assert pytest.approx(SEEN.set_index("unit_id")[name].to_dict(), nan_ok=True) == seen[name].to_dict()
    assert {} == outside(seen)


def test_history_does_not_depend_on_the_order_of_its_rows(machine):
    keys = with_history(machine).reset_index()

    pd.testing.assert_frame_equal(keys, add_history(keys, HISTORY.iloc[::-1], on=machine))
