"""Holds whatever the sandbox answers in any test against its own description."""

import re
from functools import cache
from typing import Any

import httpx
import jsonschema_rs

from billogram_sandbox.app import described

Operation = dict[str, Any]  # Any: a part of an OpenAPI document

MISBEHAVING = (429, 500, 503)
HTML = "text/html"


async def conforms(response: httpx.Response) -> None:
    """For an `event_hooks` of httpx. What is no matter of the description: addresses that are not in it, and what comes
    only because a test asked for faults."""
    operation = operation_of(response.request.method, response.request.url.path)
    kind = response.headers.get("content-type", "").partition(";")[0]
    if operation is None or response.status_code in MISBEHAVING or (kind == HTML and operation.get("security")):
        return
    told = f"{operation['operationId']} answered {response.status_code}"
    declared = operation["responses"].get(str(response.status_code))
    assert declared, f"{told}, which is not declared"
    if "content" not in declared:
        assert await response.aread() == b"", f"{told} with a body, which is not declared"
        return
    assert kind in declared["content"], f"{told} as {kind}, which is not declared"
    if kind == "application/json":
        await response.aread()
        error = next(validator(declared["content"][kind]["schema"]["$ref"]).iter_errors(response.json()), None)
        assert error is None, f"{told}, and {list(error.instance_path) if error else ''}: {error}"


@cache
def operation_of(verb: str, path: str) -> Operation | None:
    for template, operations in described()["paths"].items():
        pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template))
        if verb.lower() in operations and re.fullmatch(pattern, path):
            return dict(operations[verb.lower()])
    return None


@cache
def validator(reference: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(
        {"$ref": reference, "components": described()["components"]}, validate_formats=True
    )
