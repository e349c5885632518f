"""What this machine computes features with, from its environment, and whether it can."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from features.errors import InputRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

ENGINES = ("duckdb", "spark")
MASTER = re.compile(r"local(\[(\*|[1-9]\d*)\])?|spark://[^\s,:/]+:\d+(,[^\s,:/]+:\d+)*")
OWN_MACHINE = ("127.0.0.1", "localhost")
OLDEST_JAVA = 17
"""Spark 4.0 runs on Java 17 and newer."""
SECONDS_TO_ANSWER = 5


@dataclass(frozen=True)
class Machine:
    """What this machine computes features with; it changes no result.

    Parameters
    ----------
    engine
        `duckdb` inside this process, or `spark`.
    spark_master
        `local[*]`: Spark on this machine; `spark://host:7077`: a standalone cluster.
    """

    engine: str = "duckdb"
    spark_master: str = "local[*]"

    def __post_init__(self) -> None:
        """Refuse what is no engine or no master."""
        if self.engine not in ENGINES:
            raise InputRefused(f"TEPAT_ENGINE={self.engine}", " or ".join(ENGINES), "Correct it, or leave it unset.")
        if not MASTER.fullmatch(self.spark_master):
            raise InputRefused(
                f"TEPAT_SPARK_MASTER={self.spark_master}",
                "local[*], local[<threads>] or spark://<host>:<port>",
                "Correct it, or leave it unset for Spark on this machine.",
            )


def machine(environment: Mapping[str, str]) -> Machine:
    """What TEPAT_ENGINE and TEPAT_SPARK_MASTER ask for; the embedded DuckDB when they are unset or empty."""
    return Machine(environment.get("TEPAT_ENGINE") or "duckdb", environment.get("TEPAT_SPARK_MASTER") or "local[*]")


def bound(master: str) -> dict[str, str]:
    """Settings that close Spark to other machines, unless the cluster is one."""
    local = master.startswith("local") or all(host in OWN_MACHINE for host, _ in _addresses(master))
    return dict.fromkeys(("spark.driver.host", "spark.driver.bindAddress"), OWN_MACHINE[0]) if local else {}


def _addresses(master: str) -> list[tuple[str, int]]:
    places = master.removeprefix("spark://").split(",") if master.startswith("spark://") else []
    return [(host, int(port)) for host, port in (place.rsplit(":", 1) for place in places)]


def need_answer(master: str) -> None:
    """Refuse a cluster of which no master answers: Spark itself would try for a minute, then stop with a trace."""
    addresses = _addresses(master)
    if addresses and not any(_answers(*address) for address in addresses):
        raise InputRefused(
            f"TEPAT_SPARK_MASTER={master}, where nobody answers",
            "the address of a running Spark master",
            "Start the master, or correct the address.",
        )


def _answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=SECONDS_TO_ANSWER).close()
    except OSError:
        return False
    return True


def need_java() -> None:
    """Refuse a machine without the Java that Spark runs on, found where Spark looks for it."""
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=f"{home}/bin" if home else None)
    said = "" if java is None else _version(java)
    version = re.search(r'version "(\d+)', said)
    if version is None or int(version[1]) < OLDEST_JAVA:
        raise InputRefused(
            f"TEPAT_ENGINE=spark with {'no Java' if version is None else f'Java {version[1]}'}",
            f"Java {OLDEST_JAVA} or newer",
            "Install it (Debian: `apt-get install default-jre-headless`), or point JAVA_HOME at it.",
        )


def _version(java: str) -> str:
    return subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr  # noqa: S603 (the machine's own Java)
