"""From shapes to JSON schemas: of what is taken as pydantic reads it, and of what is answered as it is written."""

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from billogram_sandbox.core.documents import Json

Shapes = type[BaseModel]
WORDS = {"ge": "minimum", "le": "maximum", "gt": "exclusiveMinimum", "lt": "exclusiveMaximum"}


class Given(GenerateJsonSchema):
    def get_decimal_pattern(self, schema: core_schema.DecimalSchema) -> str:  # noqa: ARG002 - limits are for numbers
        return r"^-?[0-9]+(\.[0-9]+)?$"


class Shown(GenerateJsonSchema):
    """Every key is there, and amounts are numbers."""

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> JsonSchemaValue:  # noqa: ARG002 - limits are for what comes in
        return {"type": "number"}

    def field_is_required(self, field: object, total: bool) -> bool:  # noqa: ARG002
        return True


class Schemas:
    """The schemas of shapes, and references to them; one that is both taken and answered has two."""

    def __init__(self, kind: str, shapes: Iterable[Shapes], generator: type[GenerateJsonSchema]) -> None:
        wanted = sorted(set(shapes), key=lambda shape: (shape.__name__, shape.__module__))
        self._refs, schemas = models_json_schema(
            [(shape, "validation") for shape in wanted],
            ref_template=f"#/components/schemas/{kind}.{{model}}",
            schema_generator=generator,
        )
        self.components: Json = {f"{kind}.{name}": _translated(schema) for name, schema in schemas["$defs"].items()}

    def content(self, shape: Shapes) -> Json:
        return {"application/json": {"schema": self._refs[shape, "validation"]}}


def given(shapes: Iterable[Shapes]) -> Schemas:
    """On the top level a null is as if it were not there, so every key that may be left out may be null."""
    asked = set(shapes)
    schemas = Schemas("given", asked, Given)
    for shape in asked:
        _allow_nulls(
            schemas.components[schemas.content(shape)["application/json"]["schema"]["$ref"].rpartition("/")[2]]
        )
    return schemas


def shown(shapes: Iterable[Shapes]) -> Schemas:
    return Schemas("shown", shapes, Shown)


def _allow_nulls(schema: Json) -> None:
    properties = schema.get("properties", {})
    for name in properties.keys() - set(schema.get("required", ())):
        kinds = properties[name].get("anyOf", [])
        if {"type": "null"} not in kinds:
            properties[name] = {"anyOf": [properties[name], {"type": "null"}]}


def _translated(schema: Any) -> Any:  # Any: a part of a JSON schema
    """Limits on a value that is made ready before it is read come by pydantic's own words, and decimals as text."""
    if isinstance(schema, list):
        return [_translated(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    limits = {WORDS[word]: float(limit) for word, limit in schema.items() if word in WORDS}
    return limits | {word: _translated(part) for word, part in schema.items() if word not in WORDS}
