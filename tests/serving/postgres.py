"""A real PostgreSQL from the system's packages, for as long as the tests run."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import tempfile
from itertools import count
from pathlib import Path

import psycopg

from serving.database import open_database

PASSWORD = "hush-hush"  # noqa: S105 (of a server that lives as long as the tests)
USER, SUPERUSER = "tepat", "postgres"
TEMPLATE = "store"  # with the tables of this version
NOBODY = 65534
OLDEST = 15
ROOM_BYTES = 2 * 2**30
MISSING = f"no PostgreSQL {OLDEST} or newer on this machine: install Debian's package postgresql"


def binaries() -> Path | None:
    """The folder of the newest server on this machine."""
    folders = [Path(found).parent for found in [shutil.which("initdb")] if found]
    folders += Path("/usr/lib/postgresql").glob("*/bin")
    known = {version: folder for folder in folders if (version := _version(folder)) >= OLDEST}
    return known[max(known)] if known else None


def _version(folder: Path) -> int:
    if not ((folder / "initdb").exists() and (folder / "pg_ctl").exists()):
        return 0
    said = subprocess.run([folder / "initdb", "--version"], capture_output=True, text=True, check=True)  # noqa: S603 (found above)
    found = re.search(r" (\d+)", said.stdout)
    return int(found[1]) if found else 0


def _quick() -> Path | None:
    """In memory where there is room: a database has 300 files. The path is short, as that of a socket must be."""
    memory = Path("/dev/shm")  # noqa: S108 (the folder in it is ours alone)
    return memory if memory.is_dir() and shutil.disk_usage(memory).free > ROOM_BYTES else None


class Postgres:
    """A server in a folder of its own, on 127.0.0.1; started by nobody when we are root, whom it does not serve."""

    def __init__(self) -> None:
        found = binaries()
        assert found is not None, MISSING
        self.binaries = found
        self.folder = Path(tempfile.mkdtemp(prefix="tepat-pg-", dir=_quick()))
        self.as_whom = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        self.own(self.folder)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.numbers = count(1)
        try:
            self._make()
            self.start()
            self.run(f"CREATE ROLE {USER} LOGIN PASSWORD '{PASSWORD}'")
            self.run(f"CREATE DATABASE {TEMPLATE} OWNER {USER}")
            open_database(self.url(TEMPLATE), wait_ms=60_000).close()
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    def url(self, database: str, *, password: str = PASSWORD, user: str = USER) -> str:
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{database}"

    def new(self, template: str = TEMPLATE) -> str:
        """The address of a database of its own, as the template is: the store's, or an empty one."""
        name = f"t{next(self.numbers)}"
        self.run(f"CREATE DATABASE {name} OWNER {USER} TEMPLATE {template}")
        return self.url(name)

    def run(self, statement: str, *, database: str = "postgres") -> None:
        """As the superuser."""
        with psycopg.connect(self.url(database, user=SUPERUSER), autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[call-overload]  # the tests' own words

    def own(self, folder: Path) -> None:
        """Let the server write in a folder."""
        if self.as_whom:
            os.chown(folder, NOBODY, NOBODY)

    def start(self) -> None:
        self._control("start", "-w", "-l", self.folder / "log")

    def stop(self, how: str = "fast") -> None:
        self._control("stop", "-w", "-m", how)

    def end(self) -> None:
        if (self.folder / "cluster" / "postmaster.pid").exists():
            self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _make(self) -> None:
        secret = self.folder / "password"
        secret.write_text(PASSWORD)
        self._say(
            "initdb", "-D", self.folder / "cluster", "-U", SUPERUSER, "-A", "scram-sha-256", f"--pwfile={secret}",
            "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions",
        )  # fmt: skip
        with (self.folder / "cluster" / "postgresql.conf").open("a") as settings:
            settings.write(
                f"listen_addresses = '127.0.0.1'\nport = {self.port}\nunix_socket_directories = '{self.folder}'\n"
                "max_connections = 60\nshared_buffers = '32MB'\nlc_messages = 'C'\n"
            )

    def _control(self, *words: object) -> None:
        self._say("pg_ctl", "-D", self.folder / "cluster", *words)

    def _say(self, command: str, *words: object) -> None:
        with (self.folder / "said").open("a") as said:  # not a pipe: the server would hold it open
            done = subprocess.run(  # noqa: S603 (found above)
                [self.binaries / command, *map(str, words)],
                cwd=self.folder, env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"}, stdout=said, stderr=said, check=False,
                **self.as_whom,
            )  # fmt: skip
        assert 0 == done.returncode, (self.folder / "said").read_text()[-3000:]
