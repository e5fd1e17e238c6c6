"""The envelope of Billogram's responses, and the errors of both planes."""

from typing import Generic, Literal, TypeVar

from billogram_sandbox.shapes.values import Shape

T = TypeVar("T")
Identifier = Literal[
    "MISSING_AUTH", "INVALID_AUTH", "PERMISSION_DENIED", "NOT_FOUND", "NOT_AVAILABLE_YET", "METHOD_NOT_ALLOWED",
    "MISSING_QUERY_PARAMETER", "INVALID_QUERY_PARAMETER", "INVALID_PARAMETER", "INVALID_PARAMETER_COMBINATION",
    "READ_ONLY_PARAMETER", "UNKNOWN_PARAMETER", "INVALID_OBJECT_STATE",
]  # fmt: skip


class One(Shape, Generic[T]):
    status: Literal["OK"]
    data: T


class Meta(Shape):
    total_count: int


class Many(Shape, Generic[T]):
    status: Literal["OK"]
    meta: Meta
    data: list[T]


class Listed(Shape, Generic[T]):
    """A list without pages."""

    status: Literal["OK"]
    data: list[T]


class Message(Shape):
    message: str


class LocatedMessage(Message):
    field: str
    field_path: list[str | int] | None


class ErrorResponse(Shape):
    """An error of the API."""

    status: Identifier
    data: Message | LocatedMessage


class ControlErrorResponse(Shape):
    """An error of the control plane."""

    error: str


class Nothing(Shape):
    pass
