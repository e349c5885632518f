"""What each role may do; an act that no role has is nobody's."""

from __future__ import annotations

from enum import StrEnum


class Act(StrEnum):
    """What can be done through a door; the name stands in the trail."""

    SCORE = "score"
    RUN_JOB = "job"
    SEE_HOUSEHOLD = "household.see"
    SEE_LIST = "list.see"
    MAKE_LIST = "list.make"
    EXPORT_LIST = "list.export"
    SEE_DECISION = "decision.see"
    DECIDE = "decision.make"
    ASSIGN = "assignment.make"
    CORRECT = "fact.correct"
    VISIT = "visit.make"
    SEE_MODEL = "model.see"
    PROMOTE = "model.promote"
    HAND_OVER = "register.hand-over"
    EXPORT_FIELD = "field.export"
    SEE_REGION = "region.see"
    SEE_QUARANTINE = "quarantine.see"
    SEE_TRAIL = "trail.see"
    SEE_ACCOUNT = "account.see"
    CHANGE_ACCOUNT = "account.change"
    SEE_METRICS = "metrics.see"
    SIGN_IN = "sign-in"
    SIGN_OUT = "sign-out"
    RETAIN = "retain"  # on the command line alone, as the next
    RESTORE = "restore"


class Role(StrEnum):
    """A duty in the district; an account may have several."""

    PLANNER = "planner"
    PUSKESMAS = "puskesmas"
    INTEGRATOR = "integrator"
    DATA_OFFICER = "data_officer"
    AUDITOR = "auditor"
    DPO = "dpo"
    ADMIN = "admin"


EVERYONE = {Act.SEE_MODEL, Act.SEE_REGION, Act.SIGN_OUT}
_OF_CARE = {Act.SEE_HOUSEHOLD, Act.SEE_LIST, Act.SEE_DECISION, Act.DECIDE, Act.CORRECT}
MAY: dict[Role, frozenset[Act]] = {
    Role.PLANNER: frozenset(EVERYONE | _OF_CARE | {Act.MAKE_LIST, Act.EXPORT_LIST, Act.ASSIGN, Act.VISIT}),
    Role.PUSKESMAS: frozenset(EVERYONE | _OF_CARE | {Act.EXPORT_LIST, Act.ASSIGN, Act.VISIT}),
    Role.INTEGRATOR: frozenset(EVERYONE | {Act.SCORE, Act.RUN_JOB, Act.SEE_HOUSEHOLD, Act.SEE_LIST}),
    Role.DATA_OFFICER: frozenset(
        EVERYONE
        | {Act.SCORE, Act.RUN_JOB, Act.SEE_QUARANTINE, Act.SEE_METRICS, Act.PROMOTE, Act.HAND_OVER, Act.EXPORT_FIELD}
    ),
    Role.AUDITOR: frozenset(EVERYONE | {Act.SEE_HOUSEHOLD, Act.SEE_LIST, Act.SEE_DECISION, Act.SEE_TRAIL}),
    Role.DPO: frozenset(EVERYONE | _OF_CARE | {Act.SEE_TRAIL, Act.SEE_ACCOUNT}),
    # On this account alone: an admin may make another one that sees, and the trail, which others read, says so.
    Role.ADMIN: frozenset(EVERYONE | {Act.SEE_ACCOUNT, Act.CHANGE_ACCOUNT, Act.SEE_METRICS}),
}


def may(roles: frozenset[Role], act: Act) -> bool:
    """Whether one of the roles allows the act."""
    return any(act in MAY[role] for role in roles)
