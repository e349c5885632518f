"""The process that checks a hand-over, by the very functions of the stage `ingest`."""

from __future__ import annotations

import errno
import json
import os
import sys
from contextlib import suppress
from pathlib import Path

from features.errors import InputRefused, Refused
from features.hand_over import LAYOUT, Laid, before, fewer_of, lay_over
from features.ingest import ingest
from features.settings import load
from features.source import standing
from serving.children import give_way
from serving.handing_told import GIVEN, LAID, OUT, WRONG, State, answer
from serving.jobs.sheets import check_bounds

FULL = (
    "The disk of the service's folder is full. The files are gone; free space on the server, and hand them over again."
)


def checked(folder: Path) -> Laid:
    """The hand-over as it would be; the account of it, and the rows to mend, lie in `out`.

    Raises
    ------
    Refused
        The files, or all registers together, cannot be taken in.
    """
    settings = load()
    for path in sorted((folder / GIVEN).iterdir()):
        check_bounds(path)
    over, was = before(settings.source), standing()
    fewer = fewer_of(folder / GIVEN, over=over)
    lay_over(folder / GIVEN, folder / LAID, over=over)
    mark = standing(folder / LAID)
    ingest(folder / LAID, LAYOUT, folder / OUT, max_quarantine_share=settings.ingest.max_quarantine_share)
    for accepted in (folder / OUT).glob("*.parquet"):
        accepted.unlink()  # the next run makes them anew; here nobody needs them
    if (standing(), standing(folder / LAID)) != (was, mark):
        raise InputRefused(
            "registers in data/raw that changed while this was checked",
            "registers at rest",
            "Hand the files over again.",
        )
    return Laid(mark=mark, over=was, stays=over.stays, fewer=fewer)


def _answered(folder: Path) -> None:
    try:
        laid = checked(folder)
    except Refused as refusal:
        answer(folder, State.REFUSED, said=str(refusal))
    else:
        answer(folder, State.CHECKED, laid=laid)


def main() -> None:
    """Check what lies in the folder that the command line names; what is made is for this user alone."""
    give_way()
    os.umask(0o077)
    folder = Path(sys.argv[1])
    try:
        _answered(folder)
    except Exception as fault:  # noqa: BLE001 (whatever it was, the page says that it failed, and no cell is repeated)
        said = {"level": "ERROR", "message": "hand-over not checked", "reason": type(fault).__name__}
        print(json.dumps(said), file=sys.stderr)
        with suppress(OSError):  # a second fault would be printed with the first; no answer is told as a mistake
            answer(folder, State.FAILED, said=FULL if getattr(fault, "errno", None) == errno.ENOSPC else WRONG)


if __name__ == "__main__":
    main()
