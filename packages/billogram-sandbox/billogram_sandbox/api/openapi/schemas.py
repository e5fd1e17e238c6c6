"""JSON schemas of shapes: requests as pydantic validates them, responses as they are written."""

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from billogram_sandbox.core.documents import Json

ShapeType = type[BaseModel]
LIMIT_KEYWORDS = {"ge": "minimum", "le": "maximum", "gt": "exclusiveMinimum", "lt": "exclusiveMaximum"}


class RequestSchema(GenerateJsonSchema):
    def get_decimal_pattern(self, schema: core_schema.DecimalSchema) -> str:  # noqa: ARG002 - limits are for numbers
        return r"^-?[0-9]+(\.[0-9]+)?$"


class ResponseSchema(GenerateJsonSchema):
    """Every key is present, and amounts are numbers."""

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> JsonSchemaValue:  # noqa: ARG002 - limits are for requests
        return {"type": "number"}

    def field_is_required(self, field: object, total: bool) -> bool:  # noqa: ARG002
        return True


class Schemas:
    """The schemas of shapes, and references to them. A shape of both requests and responses has two."""

    def __init__(self, kind: str, shapes: Iterable[ShapeType], generator: type[GenerateJsonSchema]) -> None:
        wanted = sorted(set(shapes), key=lambda shape: (shape.__name__, shape.__module__))
        self._refs, schemas = models_json_schema(
            [(shape, "validation") for shape in wanted],
            ref_template=f"#/components/schemas/{kind}.{{model}}",
            schema_generator=generator,
        )
        self.components: Json = {f"{kind}.{name}": _translated(schema) for name, schema in schemas["$defs"].items()}

    def content(self, shape: ShapeType) -> Json:
        return {"application/json": {"schema": self._refs[shape, "validation"]}}


def request_schemas(shapes: Iterable[ShapeType]) -> Schemas:
    """Top-level nulls are left out, so every optional key may be null."""
    wanted = set(shapes)
    schemas = Schemas("given", wanted, RequestSchema)
    for shape in wanted:
        _allow_nulls(
            schemas.components[schemas.content(shape)["application/json"]["schema"]["$ref"].rpartition("/")[2]]
        )
    return schemas


def response_schemas(shapes: Iterable[ShapeType]) -> Schemas:
    return Schemas("shown", shapes, ResponseSchema)


def _allow_nulls(schema: Json) -> None:
    properties = schema.get("properties", {})
    for name in properties.keys() - set(schema.get("required", ())):
        kinds = properties[name].get("anyOf", [])
        if {"type": "null"} not in kinds:
            properties[name] = {"anyOf": [properties[name], {"type": "null"}]}


def _translated(schema: Any) -> Any:  # Any: a part of a JSON schema
    """For values with a validator, pydantic names limits by its own keywords, with decimals as text."""
    if isinstance(schema, list):
        return [_translated(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    limits = {LIMIT_KEYWORDS[word]: float(limit) for word, limit in schema.items() if word in LIMIT_KEYWORDS}
    return limits | {word: _translated(part) for word, part in schema.items() if word not in LIMIT_KEYWORDS}
