"""Files of registers as they arrive: each under the name of its register, and for the user that runs Tepat alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from features.adapters.canonical import register_of
from serving.handing_told import Sent
from serving.jobs.uploads import write_down

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

PATH = re.compile(r"[\\/]")
PRIVATE_FILE = 0o600


class NoRegister(Exception):
    """A file whose name is that of no register; `name` is as it was sent, and may be anything."""

    def __init__(self, name: str) -> None:
        super().__init__("a file has the name of no register")
        self.name = name


class Twice(Exception):
    """Two files of one register."""

    def __init__(self, register: str) -> None:
        super().__init__(f"two files of the register {register}")
        self.register = register


async def receive(folder: Path, files: AsyncIterator[tuple[str, AsyncIterator[bytes]]]) -> tuple[Sent, ...]:
    """The files once they are on the disk, in the order of their coming; those without a name are left out.

    Parameters
    ----------
    files
        The name of each, as the browser says it, and its bytes.

    Raises
    ------
    NoRegister, Twice
        What came so far is still in the folder.
    StoreUnavailable, OSError
        The disk is full, or cannot be written.
    """
    known: dict[str, Sent] = {}
    async for said, blocks in files:
        name = PATH.split(said)[-1].strip().lower()
        if not name:  # a browser sends an empty part where no file was chosen
            continue
        register = register_of(name)
        if register is None:
            raise NoRegister(PATH.split(said)[-1].strip())
        if register in known:
            raise Twice(register)
        place = folder / name
        place.touch(mode=PRIVATE_FILE, exist_ok=False)
        known[register] = Sent(name=name, register=register, size=await write_down(place, blocks, mode="ab"))
    return tuple(known.values())
