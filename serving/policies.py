"""A policy as a request hands it over: the rules of a file, in JSON, refused in the same words."""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import ValidationError, WrapValidator
from pydantic_core import PydanticCustomError

from features.errors import InputRefused
from targeting.policy import Policy, policy_of


def _policy(found: Any, _: Any) -> Policy:
    try:
        made = policy_of(found, of="`policy`")
        Policy.model_validate_json(json.dumps(found), strict=True)
    except InputRefused as refusal:
        raise _fault(str(refusal)) from refusal
    except ValidationError as fault:  # what YAML may write in words, such as yes, JSON has a type for
        first = fault.errors(include_url=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise _fault(f"Found: {where} of another type. Allowed: {first['msg']}. What to do: Correct it.") from fault
    return made


def _fault(why: str) -> PydanticCustomError:
    # As the template, braces in it would be filled in.
    return PydanticCustomError("policy", "{why}", {"why": why.removesuffix(".")})


POLICY = Annotated[Policy, WrapValidator(_policy)]
