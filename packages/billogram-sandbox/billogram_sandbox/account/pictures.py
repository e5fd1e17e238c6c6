"""The account's logotype and cover photo, in base64."""

from collections.abc import Callable, Mapping

from billogram_sandbox.core.content import decode_file
from billogram_sandbox.core.documents import Json
from billogram_sandbox.request_context import Handler, RequestContext
from billogram_sandbox.shapes.values import Shape, parse

NONE: Json = {"content": None, "file_type": None}
KINDS: Mapping[bytes, str] = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
}


class Picture(Shape):
    content: str
    file_type: str | None = None


def _get(name: str) -> Handler:
    return lambda context: {"status": "OK", "data": context.sandbox.database.get(name) or NONE}


def _put(name: str) -> Handler:
    def put(context: RequestContext) -> Json:
        wanted = parse(Picture, context.body)
        doc = {"content": wanted.content, "file_type": decode_file(wanted.content, KINDS).kind}
        context.sandbox.database.put(name, doc)
        return {"status": "OK", "data": doc}

    return put


def _delete(name: str) -> Handler:
    def delete(context: RequestContext) -> Json:
        context.sandbox.database.put(name, None)
        return {"status": "OK", "data": {}}

    return delete


def _named(name: str, verb: str, make: Callable[[str], Handler]) -> tuple[str, str, Handler]:
    handler = make(name)
    handler.__name__ = f"{verb.lower()}_{name}"
    return name, verb, handler


VERBS = {"GET": _get, "POST": _put, "PUT": _put, "DELETE": _delete}
HANDLERS = [_named(name, verb, make) for name in ("logotype", "coverphoto") for verb, make in VERBS.items()]
"""(picture, method, handler)"""
