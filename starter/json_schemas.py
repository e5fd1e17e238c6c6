"""How OpenAPI describes values that are checked by code of ours: nothing here checks anything."""

from typing import Any

from pydantic import Field, WithJsonSchema

from avtal.contracts.policy import Policy

CONTROL = r"\x00-\x1f\x7f-\x9f"
ONE_LINE = Field(json_schema_extra={"pattern": rf"^[^{CONTROL}]*$"})
ONE_LINE_WITH_A_WORD = Field(json_schema_extra={"pattern": rf"^[^{CONTROL}]*[^\s{CONTROL}][^{CONTROL}]*$"})
PRICE = Field(json_schema_extra={"pattern": r"^-?[0-9]{1,12}(\.[0-9]{1,2})?$", "examples": ["395.00"]})
ZONE = Field(json_schema_extra={"description": "An IANA name", "examples": ["Europe/Stockholm", "Europe/Oslo"]})
VAT_RATE = WithJsonSchema(
    {
        "anyOf": [
            {"type": "integer", "minimum": 0, "maximum": 100},
            {"type": "string", "pattern": r"^([0-9]{1,2}(\.[0-9]{1,2})?|100(\.0{1,2})?)$"},
        ]
    }
)
DOMAIN = r"^[^@ .]([^@]*[^@ .])?$"


def policy_fields() -> dict[str, Any]:  # Any: JSON schemas
    """Of each field of a policy, wherever some of them are given."""
    schema = Policy.model_json_schema()
    fields = {name: _given(field, schema["$defs"]) for name, field in schema["properties"].items()}
    fields["placeholder_domains"]["items"]["pattern"] = DOMAIN
    return fields


def _given(field: Any, shapes: dict[str, Any]) -> Any:  # Any: a part of a JSON schema
    """Without the default, which does not hold where a field is left out, and without references."""
    if isinstance(field, list):
        return [_given(one, shapes) for one in field]
    if not isinstance(field, dict):
        return field
    if "$ref" in field:
        return _given(shapes[field["$ref"].rpartition("/")[2]], shapes)
    return {key: _given(value, shapes) for key, value in field.items() if key not in ("default", "title")}


POLICY = WithJsonSchema({"type": "object", "properties": policy_fields(), "additionalProperties": False})
