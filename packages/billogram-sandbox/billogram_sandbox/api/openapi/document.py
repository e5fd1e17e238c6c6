"""Builds the OpenAPI document from the tables of routes, operations, and commands, and their shapes."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from billogram_sandbox.api.openapi.operation import Operation
from billogram_sandbox.api.openapi.operations import COMMAND_ARGUMENTS, OPERATIONS
from billogram_sandbox.api.openapi.schemas import Schemas, ShapeType, request_schemas, response_schemas
from billogram_sandbox.api.responses.billograms import Billogram
from billogram_sandbox.api.responses.callbacks import EinvoiceCallback, EventCallback, RecallCallback, TabCallback
from billogram_sandbox.api.responses.envelope import ControlErrorResponse, ErrorResponse, One
from billogram_sandbox.core.documents import Json
from billogram_sandbox.lifecycle import commands
from billogram_sandbox.request_context import Handler

Table = list[tuple[str, str, Handler]]
API_REFUSALS = {
    400: "The request, its body, or the object's state is invalid",
    401: "Credentials are missing",
    403: "Credentials are wrong, or the feature is not enabled",
    404: "There is no such object",
}
CONTROL_REFUSALS = {
    400: "The request is invalid",
    403: "The control plane answers this machine only",
    404: "There is no such billogram",
    409: "The billogram's state does not allow it",
}
OF_ONE_OBJECT = {404, 409}
WEBHOOKS: dict[str, ShapeType] = {
    "BillogramEvent": EventCallback,
    "PaymentRecalled": RecallCallback,
    "EinvoiceRegistration": EinvoiceCallback,
    "BillingTab": TabCallback,
}
TEXT: Json = {"schema": {"type": "string"}}
DESCRIPTION = (
    "A local stand-in for Billogram's API v2, with a control plane under /sandbox. Amounts are JSON numbers; "
    "requests may also have them as strings. Callbacks are listed under webhooks. With faults, set by "
    "PUT /sandbox/faults, there are other responses than these, or none."
)


class Plane(NamedTuple):
    """Billogram's API, or the control plane."""

    prefix: str
    table: Table
    error: ShapeType
    refusals: Mapping[int, str]
    is_api: bool


class Endpoint(NamedTuple):
    path: str
    verb: str
    name: str
    tag: str
    plane: Plane
    operation: Operation


def openapi_document(api: Table, control: Table) -> Json:
    planes = (
        Plane("/api/v2", api, ErrorResponse, API_REFUSALS, is_api=True),
        Plane("/sandbox", control, ControlErrorResponse, CONTROL_REFUSALS, is_api=False),
    )
    every = [one for plane in planes for one in _operations(plane)]
    requests = request_schemas(one.operation.body for one in every if one.operation.body)
    responses = response_schemas(
        [*(one.operation.response for one in every), ErrorResponse, ControlErrorResponse, *WEBHOOKS.values()]
    )
    paths: Json = {}
    for one in every:
        paths.setdefault(one.path, {})[one.verb.lower()] = _operation_object(one, requests, responses)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Billogram sandbox", "version": "2", "description": DESCRIPTION},
        "paths": paths,
        "webhooks": {name: {"post": _webhook(name, responses.content(shape))} for name, shape in WEBHOOKS.items()},
        "components": {
            "schemas": requests.components | responses.components,
            "securitySchemes": {"key": {"type": "http", "scheme": "basic", "description": "API user and API key"}},
        },
    }


def _operations(plane: Plane) -> Iterator[Endpoint]:
    """Each command is an operation of its own."""
    for verb, path, handler in plane.table:
        if handler is not commands.run:
            name = f"{handler.__module__.rpartition('.')[2]}.{handler.__name__}"
            tag = path.split("/")[1] if plane.is_api else "control plane"
            yield Endpoint(plane.prefix + path, verb, name, tag, plane, OPERATIONS[handler])
            continue
        for command, body in COMMAND_ARGUMENTS.items():
            operation = Operation(f"The command {command}", One[Billogram], body)
            at = plane.prefix + path.replace("{command}", command)
            yield Endpoint(at, verb, f"commands.{command}", "command", plane, operation)


def _operation_object(one: Endpoint, requests: Schemas, responses: Schemas) -> Json:
    operation = one.operation
    doc: Json = {
        "operationId": one.name,
        "summary": operation.summary,
        "tags": [one.tag],
        "parameters": [*_path_parameters(one.path), *_parameters("query", operation.query)]
        + [each | {"required": True} for each in _parameters("header", operation.headers)],
        "responses": {"200": {"description": "Done", "content": responses.content(operation.response)}},
    }
    if operation.no_content:
        doc["responses"]["204"] = {"description": operation.no_content}
    if operation.body:
        doc["requestBody"] = _body(operation.body, requests)
    refused = responses.content(one.plane.error)
    doc["responses"] |= {str(code): {"description": why, "content": refused} for code, why in _refusals(one)}
    if one.plane.is_api:
        doc["security"] = [{"key": []}]
        doc["responses"]["401"]["headers"] = {"WWW-Authenticate": TEXT}
    return doc


def _body(shape: ShapeType, requests: Schemas) -> Json:
    """Without required keys, no body and null equal {}."""
    content = requests.content(shape)
    if any(field.is_required() for field in shape.model_fields.values()):
        return {"required": True, "content": content}
    schema = {"anyOf": [content["application/json"]["schema"], {"type": "null"}]}
    return {"required": False, "content": {"application/json": {"schema": schema}}}


def _refusals(one: Endpoint) -> Iterator[tuple[int, str]]:
    is_of_one = "{" in one.path or one.operation.names_another
    for code, why in one.plane.refusals.items():
        if is_of_one or code not in OF_ONE_OBJECT:
            yield code, why


def _path_parameters(path: str) -> Iterator[Json]:
    for part in path.split("{")[1:]:
        text = {"type": "string", "minLength": 1}
        yield {"name": part.partition("}")[0], "in": "path", "required": True, "schema": text}


def _parameters(place: str, schemas: Mapping[str, Json]) -> Iterator[Json]:
    return ({"name": name, "in": place, "schema": schema} for name, schema in schemas.items())


def _webhook(name: str, content: Json) -> Json:
    accepted = {"2XX": {"description": "Accepted; after any other response it is retried"}}
    return {
        "operationId": name,
        "summary": "Posted to the callback URL",
        "parameters": [],
        "requestBody": {"required": True, "content": content},
        "responses": accepted,
    }
