"""Why a job failed, as a problem document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from serving.errors import JobFailed

if TYPE_CHECKING:
    from features.errors import InputRefused

REFUSED: Final = "refused"
FULL: Final = "full"
MEMORY: Final = "memory"
NOBODY: Final = "nobody"
AGAIN: Final = "again"
WORDS = {
    FULL: ("The disk of the jobs' folder is full.", "Free space on the server, then make the job again."),
    MEMORY: (
        "Reading the files took more memory than a job may have.",
        "Hand over fewer households at a time; Parquet needs the least.",
    ),
    AGAIN: (
        "The service ended three times while it worked on this job, and the job came no further.",
        "See the service's log for why; make the job again with fewer households.",
    ),
    NOBODY: (
        "No household is left: every row was refused.",
        "Read /refused of this job, which names the column and the reason of each, correct them and make a new job.",
    ),
}
UNEXPECTED = ("Tepat made a mistake; the service's log has its place.", "Report it with the id of the job.")


def told(why: str | None, *, refusal: InputRefused | None = None) -> dict[str, str | int]:
    """The document; None is a mistake of ours."""
    if refusal is not None:
        detail, remedy = f"Found: {refusal.found}. Allowed: {refusal.allowed}.", refusal.remedy
    else:
        detail, remedy = WORDS.get(why or "", UNEXPECTED)
    return {
        "type": f"tepat:{JobFailed.type}", "title": JobFailed.title, "status": JobFailed.status,
        "detail": detail, "remedy": remedy,
    }  # fmt: skip
