"""Every sentence that a page can be asked to show stands in the catalogue: a new one without Indonesian fails here."""

import re
import sqlite3
from pathlib import Path

import pytest

from features.adapters.canonical import read as read_registers
from features.errors import InputRefused
from features.header import refuse_doubled
from serving import errors, faults, faults_postgres
from serving.access.passwords import check_password
from serving.errors import problems
from serving.faults import StoreRefused
from serving.jobs import told as of_jobs
from serving.jobs.kept import WrongState, need
from serving.jobs.sheets import read as read_sheet
from serving.pages.sentences import in_indonesian
from tests.conftest import ROOT
from tests.serving.raised import raised
from tests.serving.test_sentences import figures, said
from training.registry import RegistryRefused, answering

OF_CORE = (
    "features.hand_over", "features.source", "features.reading", "features.ingest", "features.adapters.books",
    "training.registry", "training.model", "training.succession", "training.evaluate", "training.spread",
    "targeting.feasibility", "targeting.limits", "targeting.plan", "targeting.plan_offers", "targeting.promote",
    "targeting.ruling", "targeting.frontier", "targeting.plan_study", "targeting.run",
)  # fmt: skip
UNREAD = (
    # The command line and what only it does, or what a start is refused with.
    "alone", "archive", "backup", "boundaries", "cli", "client", "commands", "field_export", "migrations", "once",
    "restoring", "settings", "trail.verify", "what_if",
    # Answers of programs alone: their addresses never come back as a page.
    "access.changes", "access.grants", "access.oidc", "asked", "exporting", "http", "jobs.uploads", "openapi",
    "routes.accounts", "routes.exports", "routes.job_", "routes.models", "routes.plans", "routes.regions",
    "routes.session", "routes.token", "routes.trail", "routes.worklists",
    # Whose words are put together of others; each is brought about below.
    "faults", "jobs.kept",
)  # fmt: skip
AT_START = re.compile("TEPAT_(ACCESS|OIDC)")


def of_service():
    paths = sorted((ROOT / "serving").rglob("*.py"))
    names = [".".join(one.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for one in paths]
    return [name for name in names if not name.removeprefix("serving.").startswith(UNREAD)]


def is_said(text):
    found = in_indonesian(text)
    return found is not None and set(figures(found)) <= set(figures(text))


def test_whatever_a_page_may_be_refused_with_is_said():
    found = {text for name in (*OF_CORE, *of_service()) for text in raised(name) if not AT_START.search(text)}

    assert len(found) > 200
    assert [] == sorted(text for text in found if not is_said(text))


def test_what_every_kind_of_refusal_says_to_do_is_said():
    remedies = {one.remedy for one in problems() if one.__module__ == errors.__name__}

    assert len(remedies) > 20
    assert [] == sorted(text for text in remedies if not is_said(text))


def test_why_a_job_failed_is_said_whatever_it_was():
    for why in (*of_jobs.WORDS, None):
        fault = of_jobs.told(why)
        for text in (fault["title"], fault["detail"], fault["remedy"]):
            said(text)


@pytest.mark.parametrize("name", ["data/tepat.db", "127.0.0.1:5432/tepat"])
def test_whatever_is_wrong_with_the_database_is_said(name):
    refusals = [faults.refusal(code, Path(name)) for code in (*faults.FAULTS, sqlite3.SQLITE_NOMEM)]
    refusals += [StoreRefused(f"{name} {found}", remedy) for found, remedy in faults_postgres.FAULTS.values()]

    for refusal in refusals:
        assert name in said(str(refusal))


@pytest.mark.parametrize(
    ("states", "does", "state"),
    [
        (states, does, state)
        for states, does in (
            (("open",), "takes files until it is started"),
            (("open",), "can be started"),
            (("open", "waiting", "running"), "can be cancelled"),
            (("open", "done", "failed", "cancelled"), "can be deleted; cancel it first"),
        )
        for state in ("open", "waiting", "running", "done", "failed", "cancelled")
        if state not in states
    ],
)
def test_a_job_in_another_state_is_said(state, states, does):
    job = type("Job", (), {"state": state})
    with pytest.raises(WrongState) as refusal:
        need(job, *states, for_what=does)

    assert said(str(refusal.value)).startswith("Pekerjaan ini ")


def test_two_registers_that_lack_at_once_are_said(tmp_path):
    with pytest.raises(InputRefused) as refusal:
        read_registers(tmp_path)

    assert "tidak ada berkas untuk household, child" in said(str(refusal.value))


def test_a_register_that_came_twice_is_said(tmp_path):
    for name in ("household.csv", "child.csv", "child.parquet"):
        (tmp_path / name).write_bytes(b"x\n1\n")
    with pytest.raises(InputRefused) as refusal:
        read_registers(tmp_path)

    assert "child.csv dan child.parquet" in said(str(refusal.value))


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (["c-1", "2024-03-10", "2024-03-10"], "urutan 2, 3 (judulnya bukan nama kolom)"),
        (["id", "id", "7", "7"], "id', urutan 3, 4 (judulnya bukan nama kolom)"),
    ],
)
def test_columns_that_are_told_by_their_position_are_said(header, found):
    with pytest.raises(InputRefused) as refusal:
        refuse_doubled(header, "child.csv")

    assert found in said(str(refusal.value))


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("child.csv", b"a\0b\n", "memuat bita nol"),
        ("child.csv.gz", b"\x1f\x8b\x08", "rusak atau terpotong"),
        ("child.parquet", b"no table", "bukan berkas Parquet"),
        ("child.csv", b"", "kosong (0 bita)"),
    ],
)
def test_a_file_of_a_job_that_cannot_be_read_is_said(tmp_path, name, content, found):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputRefused) as refusal:
        read_sheet(tmp_path / name)

    assert found in said(str(refusal.value))
    assert found in said(str(of_jobs.told("refused", refusal=refusal.value)["detail"]))


@pytest.mark.parametrize("wanted", ["alias 'champion' of 'determinants'", "version 3 of 'determinants'", "model 'a'"])
def test_a_registry_that_is_away_is_said(wanted):
    with pytest.raises(RegistryRefused) as refusal, answering(wanted):
        raise OSError

    assert said(str(refusal.value)).startswith("Registri tidak memberikan ")


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaaaaaa", "abcabcabcabcabcabc", "siti.siti.siti"])
def test_a_password_that_is_easily_guessed_is_said(password):
    with pytest.raises(InputRefused) as refusal:
        check_password(password, "siti.siti")

    said(f"new: {refusal.value}")
