"""Looks up known faults of every part in the lock files; says plainly what could not be looked up."""  # noqa: INP001 (a script)

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

LOCKS = ("requirements.lock", "requirements-bootstrap.txt", "requirements-spark.lock")
"""What `make setup` installs, what it is installed with, and what `docs/spark.md` adds."""
ASKED = ("--require-hashes", "--disable-pip", "--progress-spinner", "off", "--format", "json")
SHOWN = 5


def main() -> int:
    """0 when no fault is known, or nobody could be asked; 1 when there is one; 2 when the audit itself failed."""
    done = subprocess.run(  # noqa: S603 (our own tool, of our own environment)
        [_tool(), *ASKED, *(word for lock in LOCKS for word in ("--requirement", lock))],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    try:
        parts = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        print(f"pip-audit gave no answer. It said: {done.stderr.strip()[-500:]}")
        print("Nothing was checked. Where there is no internet, run `make audit` on a machine that has it.")
        return 0 if "onnect" in done.stderr else 2
    return _told(parts)


def _tool() -> str:
    """The pip-audit of this environment, unless another one stands before it on the PATH."""
    beside = str(Path(sys.executable).parent)
    return shutil.which("pip-audit", path=os.pathsep.join([os.environ.get("PATH", ""), beside])) or "pip-audit"


def _told(parts: list[dict[str, Any]]) -> int:
    known = [part for part in parts if "vulns" in part]
    unknown = [part["name"] for part in parts if "vulns" not in part]
    faulty = [part for part in known if part["vulns"]]
    print(f"{len(parts)} parts: {len(known)} looked up, {len(faulty)} with known faults, {len(unknown)} not looked up.")
    for part in faulty:
        for fault in part["vulns"]:
            mended = ", ".join(fault["fix_versions"]) or "no version yet"
            print(f"- {part['name']} {part['version']}: {fault['id']}, mended in {mended}")
    if unknown:
        more = "" if len(unknown) <= SHOWN else f" and {len(unknown) - SHOWN} more"
        print(f"Of these nobody here could tell anything: {', '.join(unknown[:SHOWN])}{more}.")
        print("Run `make audit` where the advisories can be reached before you rely on it.")
    if not known:
        print("Nothing was checked: this run says nothing about any part.")
    return 1 if faulty else 0


if __name__ == "__main__":
    sys.exit(main())
