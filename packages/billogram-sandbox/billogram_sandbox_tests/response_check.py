"""Checks every response of the sandbox in every test against its OpenAPI document."""

import re
from functools import cache
from typing import Any

import httpx
import jsonschema_rs

from billogram_sandbox.app import openapi

Operation = dict[str, Any]  # Any: a part of an OpenAPI document

FAULT_STATUSES = (429, 500, 503)
HTML = "text/html"


async def check_response(response: httpx.Response) -> None:
    """An event hook of httpx. Skips undocumented addresses, and responses of injected faults."""
    operation = operation_of(response.request.method, response.request.url.path)
    kind = response.headers.get("content-type", "").partition(";")[0]
    if operation is None or response.status_code in FAULT_STATUSES or (kind == HTML and operation.get("security")):
        return
    subject = f"{operation['operationId']} answered {response.status_code}"
    declared = operation["responses"].get(str(response.status_code))
    assert declared, f"{subject}, which is not declared"
    if "content" not in declared:
        assert await response.aread() == b"", f"{subject} with a body, which is not declared"
        return
    assert kind in declared["content"], f"{subject} as {kind}, which is not declared"
    if kind == "application/json":
        await response.aread()
        error = next(validator(declared["content"][kind]["schema"]["$ref"]).iter_errors(response.json()), None)
        assert error is None, f"{subject}, and {list(error.instance_path) if error else ''}: {error}"


@cache
def operation_of(verb: str, path: str) -> Operation | None:
    for template, operations in openapi()["paths"].items():
        pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template))
        if verb.lower() in operations and re.fullmatch(pattern, path):
            return dict(operations[verb.lower()])
    return None


@cache
def validator(reference: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(
        {"$ref": reference, "components": openapi()["components"]}, validate_formats=True
    )
