"""The OpenAPI description, made of the tables of routes, operations, and commands, and of the shapes that they name."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from billogram_sandbox.api.answers import (
    Billogram,
    ControlRefused,
    EinvoiceCallback,
    EventCallback,
    One,
    RecallCallback,
    Refused,
    TabCallback,
)
from billogram_sandbox.api.described import Operation
from billogram_sandbox.api.json_schemas import Schemas, Shapes, given, shown
from billogram_sandbox.api.operations import COMMANDS_TAKE, OPERATIONS
from billogram_sandbox.call import Handler
from billogram_sandbox.core.documents import Json
from billogram_sandbox.life import commands

Table = list[tuple[str, str, Handler]]
API_REFUSALS = {
    400: "The request, its body, or the object's state does not allow it",
    401: "Credentials are missing",
    403: "Credentials are wrong, or it is not enabled",
    404: "There is no such object",
}
CONTROL_REFUSALS = {
    400: "The request can't be used",
    403: "The control plane answers this machine only",
    404: "There is no such billogram",
    409: "Nothing like that can happen to the billogram now",
}
OF_ONE_OBJECT = {404, 409}
WEBHOOKS: dict[str, Shapes] = {
    "BillogramEvent": EventCallback,
    "PaymentRecalled": RecallCallback,
    "EinvoiceRegistration": EinvoiceCallback,
    "BillingTab": TabCallback,
}
TEXT: Json = {"schema": {"type": "string"}}
ABOUT = (
    "A local stand-in for Billogram's API v2, with a control plane under /sandbox. Amounts are JSON numbers; where one "
    "is taken, a string that holds it will do. What is posted to the callback URL stands under webhooks. "
    "While PUT /sandbox/faults has it misbehave, the API answers otherwise than told here, or not at all."
)


class Plane(NamedTuple):
    """One of the two parts: Billogram's own API, or the control plane."""

    prefix: str
    table: Table
    refused: Shapes
    refusals: Mapping[int, str]
    is_api: bool


class Described(NamedTuple):
    path: str
    verb: str
    name: str
    tag: str
    plane: Plane
    operation: Operation


def description(api: Table, control: Table) -> Json:
    planes = (
        Plane("/api/v2", api, Refused, API_REFUSALS, is_api=True),
        Plane("/sandbox", control, ControlRefused, CONTROL_REFUSALS, is_api=False),
    )
    every = [one for plane in planes for one in _operations(plane)]
    taken = given(one.operation.takes for one in every if one.operation.takes)
    answered = shown([*(one.operation.answers for one in every), Refused, ControlRefused, *WEBHOOKS.values()])
    paths: Json = {}
    for one in every:
        paths.setdefault(one.path, {})[one.verb.lower()] = _documented(one, taken, answered)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Billogram sandbox", "version": "2", "description": ABOUT},
        "paths": paths,
        "webhooks": {name: {"post": _webhook(name, answered.content(shape))} for name, shape in WEBHOOKS.items()},
        "components": {
            "schemas": taken.components | answered.components,
            "securitySchemes": {"key": {"type": "http", "scheme": "basic", "description": "API user and API key"}},
        },
    }


def _operations(plane: Plane) -> Iterator[Described]:
    """Each command has an address of its own."""
    for verb, path, handler in plane.table:
        if handler is not commands.run:
            name = f"{handler.__module__.rpartition('.')[2]}.{handler.__name__}"
            tag = path.split("/")[1] if plane.is_api else "control plane"
            yield Described(plane.prefix + path, verb, name, tag, plane, OPERATIONS[handler])
            continue
        for command, takes in COMMANDS_TAKE.items():
            operation = Operation(f"The command {command}", One[Billogram], takes)
            at = plane.prefix + path.replace("{command}", command)
            yield Described(at, verb, f"commands.{command}", "command", plane, operation)


def _documented(one: Described, taken: Schemas, answered: Schemas) -> Json:
    asked = one.operation
    doc: Json = {
        "operationId": one.name,
        "summary": asked.does,
        "tags": [one.tag],
        "parameters": [*_path_parameters(one.path), *_given_parameters("query", asked.query)]
        + [each | {"required": True} for each in _given_parameters("header", asked.headers)],
        "responses": {"200": {"description": "Done", "content": answered.content(asked.answers)}},
    }
    if asked.nothing:
        doc["responses"]["204"] = {"description": asked.nothing}
    if asked.takes:
        doc["requestBody"] = _body(asked.takes, taken)
    refused = answered.content(one.plane.refused)
    doc["responses"] |= {str(code): {"description": why, "content": refused} for code, why in _refusals(one)}
    if one.plane.is_api:
        doc["security"] = [{"key": []}]
        doc["responses"]["401"]["headers"] = {"WWW-Authenticate": TEXT}
    return doc


def _body(shape: Shapes, taken: Schemas) -> Json:
    """What needs no key needs no body either: nothing and null are as good as {}."""
    content = taken.content(shape)
    if any(field.is_required() for field in shape.model_fields.values()):
        return {"required": True, "content": content}
    schema = {"anyOf": [content["application/json"]["schema"], {"type": "null"}]}
    return {"required": False, "content": {"application/json": {"schema": schema}}}


def _refusals(one: Described) -> Iterator[tuple[int, str]]:
    about_one = "{" in one.path or one.operation.names_another
    for code, why in one.plane.refusals.items():
        if about_one or code not in OF_ONE_OBJECT:
            yield code, why


def _path_parameters(path: str) -> Iterator[Json]:
    for part in path.split("{")[1:]:
        text = {"type": "string", "minLength": 1}
        yield {"name": part.partition("}")[0], "in": "path", "required": True, "schema": text}


def _given_parameters(place: str, schemas: Mapping[str, Json]) -> Iterator[Json]:
    return ({"name": name, "in": place, "schema": schema} for name, schema in schemas.items())


def _webhook(name: str, content: Json) -> Json:
    taken = {"2XX": {"description": "Taken; after any other answer it is told again"}}
    return {
        "operationId": name,
        "summary": "What is posted to the callback URL",
        "parameters": [],
        "requestBody": {"required": True, "content": content},
        "responses": taken,
    }
