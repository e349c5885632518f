"""What is handed to an office names things that exist, refuses what is wrong, and takes no register along."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from serving.cli import app
from serving.jobs.child import MOST_MEMORY
from serving.settings import Service

ROOT = Path(__file__).parents[1]
PRIVATE = {"data", "mlruns", "reports"}
SCRIPTS = ["deploy/bundle.sh", "deploy/install.sh"]
BASH = shutil.which("bash") or "bash"
PLATFORM = subprocess.run(  # noqa: S603 (our own script)
    [sys.executable, ROOT / "deploy/machine.py"], check=True, capture_output=True, text=True
).stdout.strip()


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def instructions(name: str) -> list[str]:
    """What the Dockerfile tells the last image to do, or the first: continued lines are one."""
    return re.findall(rf"^{name} (.*)$", text("Dockerfile").replace("\\\n", " "), flags=re.MULTILINE)


def copied() -> list[str]:
    """The files and folders of the project that go into the image."""
    return [name for line in instructions("COPY") if "--from" not in line for name in line.split()[:-1]]


def unit() -> dict[str, list[str]]:
    """Of each setting of the service, its values in order."""
    found: dict[str, list[str]] = {}
    for line in text("deploy/tepat.service").splitlines():
        name, sign, value = line.partition("=")
        if sign and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def installs(name: str) -> list[str]:
    """The commands in a file that fetch or install parts."""
    commands = re.split(r"&&|\n", text(name).replace("\\\n", " "))
    return [command.strip() for command in commands if re.search(r"pip (install|download) ", command)]


def flags_of(command: str) -> set[str]:
    return {flag for option in typer.main.get_command(app).commands[command].params for flag in option.opts}


def bundle(folder: Path, *, platform: str = PLATFORM) -> Path:
    """A bundle without its wheels, as deploy/bundle.sh lays it out."""
    made = folder / "bundle"
    (made / "tepat/deploy").mkdir(parents=True)
    shutil.copy(ROOT / "deploy/install.sh", made)
    shutil.copy(ROOT / "deploy/machine.py", made / "tepat/deploy")
    (made / "platform").write_text(platform + "\n")
    files = sorted(path for path in made.rglob("*") if path.is_file())
    sums = [f"{hashlib.sha256(f.read_bytes()).hexdigest()}  ./{f.relative_to(made)}\n" for f in files]
    (made / "SHA256SUMS").write_text("".join(sums))
    return made


def installed(made: Path, target: Path, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(  # noqa: S603 (our own script)
        [BASH, made / "install.sh", target],
        env={"PATH": "/usr/bin:/bin", "PYTHON": sys.executable, **environment},
        check=False,
        capture_output=True,
        text=True,
    )


def test_the_image_is_made_of_files_that_exist() -> None:
    assert [] == [name for name in copied() if not (ROOT / name).exists()]
    assert {"features", "training", "targeting", "serving"} <= set(copied())


def test_docker_sees_what_goes_into_the_image_and_nothing_else() -> None:
    rules = [line for line in text(".dockerignore").splitlines() if line and not line.startswith("#")]

    assert "*" == rules[0]
    assert set(copied()) == {rule[1:] for rule in rules if rule.startswith("!")}
    assert set() == PRIVATE & set(copied())


def test_registers_models_and_reports_are_volumes_and_belong_to_a_user_who_is_not_root() -> None:
    assert ["tepat"] == instructions("USER")
    assert [f"/opt/tepat/{name}" for name in sorted(PRIVATE)] == sorted(json.loads(instructions("VOLUME")[0]))


def test_the_container_and_the_service_start_tepat_with_flags_that_it_has() -> None:
    in_container = json.loads(instructions("CMD")[-1])
    (as_service,) = unit()["ExecStart"]

    assert ["tepat", "serve", "--host", "0.0.0.0", "--port", "8000"] == in_container  # noqa: S104 (inside the container)
    assert "/opt/tepat/.venv/bin/tepat serve --host 127.0.0.1 --port 8000" == as_service
    assert {"--host", "--port"} <= flags_of("serve")


def test_parts_are_installed_by_hash() -> None:
    found = [line for name in ("Dockerfile", *SCRIPTS) for line in installs(name) if not line.endswith("-e .")]

    assert 5 == len(found)
    assert [] == [line for line in found if "--require-hashes" not in line]


def test_the_installer_asks_no_network() -> None:
    found = installs("deploy/install.sh")

    assert 3 == len(found)
    assert [] == [line for line in found if "--no-index" not in line]


@pytest.mark.parametrize("name", ["Dockerfile", "deploy/README.txt", "docs/deployment.md", *SCRIPTS])
def test_no_address_but_this_machine_is_written_down(name) -> None:
    assert [] == re.findall(r"https?://(?!127\.0\.0\.1|[\w.-]+\.example\b)\S+", text(name))  # .example is nobody's


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_scripts_can_be_run_and_are_bash(name) -> None:
    assert (ROOT / name).stat().st_mode & 0o111
    done = subprocess.run([BASH, "-n", ROOT / name], check=False, capture_output=True, text=True)  # noqa: S603 (as above)
    assert (0, "") == (done.returncode, done.stderr)


def test_a_bundle_for_another_machine_is_refused(tmp_path) -> None:
    done = installed(bundle(tmp_path, platform="linux-x86_64-cp399"), tmp_path / "new")

    assert (2, False) == (done.returncode, (tmp_path / "new").exists())
    assert f"is {PLATFORM}. Allowed: linux-x86_64-cp399." in done.stderr


def test_a_bundle_that_was_changed_on_the_way_is_refused(tmp_path) -> None:
    made = bundle(tmp_path)
    (made / "tepat/deploy/machine.py").write_text(text("deploy/machine.py") + "# changed\n")

    done = installed(made, tmp_path / "new")

    assert (2, False) == (done.returncode, (tmp_path / "new").exists())
    assert "Copy the bundle again".lower() in done.stderr.lower()


def test_a_folder_that_holds_something_else_is_refused_and_stays(tmp_path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other/features").write_text("mine")

    done = installed(bundle(tmp_path), tmp_path / "other")

    assert (2, "mine") == (done.returncode, (tmp_path / "other/features").read_text())
    assert "name another folder" in done.stderr


def test_without_its_python_it_says_how_to_name_one(tmp_path) -> None:
    done = installed(bundle(tmp_path), tmp_path / "new", PYTHON="python9")

    assert 2 == done.returncode
    assert "no python9. What to do: install Python 3.11" in done.stderr


def test_the_service_writes_to_its_three_folders_and_talks_to_this_machine_only() -> None:
    found = unit()

    assert [" ".join(f"/opt/tepat/{name}" for name in ("data", "mlruns", "reports"))] == found["ReadWritePaths"]
    assert [["strict"], ["yes"], ["yes"]] == [found[n] for n in ("ProtectSystem", "NoNewPrivileges", "PrivateTmp")]
    assert [["any"], ["localhost"]] == [found[n] for n in ("IPAddressDeny", "IPAddressAllow")]
    assert [["tepat"], ["on-failure"]] == [found[n] for n in ("User", "Restart")]


def test_what_registers_from_the_page_change_lies_where_the_service_may_write(tmp_path) -> None:
    assert "ln -s data/run.yaml /opt/tepat/run.yaml" in instructions("RUN")
    steps = re.search(r"^if \[ -f run.yaml.*?^ln [^\n]*$", text("deploy/install.sh"), re.DOTALL | re.MULTILINE)
    assert steps
    (tmp_path / "data").mkdir()
    (tmp_path / "run.yaml").write_text("format: canonical\n")

    for _ in range(2):  # an upgrade finds the link
        subprocess.run([BASH, "-euc", steps[0]], cwd=tmp_path, check=True)  # noqa: S603 (our own script)

    assert "data/run.yaml" == str((tmp_path / "run.yaml").readlink())
    assert "format: canonical\n" == (tmp_path / "data/run.yaml").read_text()


def test_a_job_runs_out_of_memory_before_the_service_does_and_does_not_end_it() -> None:
    found = unit()
    (most,) = found["MemoryMax"]

    assert MOST_MEMORY * 2 < int(most.removesuffix("G")) * 2**30
    assert [["continue"], ["8192"]] == [found[n] for n in ("OOMPolicy", "LimitNOFILE")]
    assert Service().most_connections * 4 < int(found["LimitNOFILE"][0])


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not on this machine")
def test_systemd_understands_every_line_of_the_unit(tmp_path) -> None:
    # The command need not be installed here for its unit to be right.
    there = text("deploy/tepat.service").replace("/opt/tepat/.venv/bin/tepat", "/bin/true")
    (tmp_path / "tepat.service").write_text(there)

    done = subprocess.run(  # noqa: S603 (a tool of the system)
        [shutil.which("systemd-analyze"), "verify", "--man=no", tmp_path / "tepat.service"],
        check=False,
        capture_output=True,
        text=True,
    )

    assert (0, "") == (done.returncode, done.stderr)


def test_the_guide_names_files_that_exist() -> None:
    guide = text("docs/deployment.md")
    inside = {name.rstrip(".") for name in re.findall(r"/opt/tepat/((?:deploy|docs)/[\w./-]+)", guide)}

    assert inside
    assert set() == {name for name in inside if not (ROOT / name).exists()}
    assert set() == {name for name in re.findall(r"\]\(([\w./-]+)\)", guide) if not (ROOT / "docs" / name).exists()}
