"""The account's logotype and cover photo: one picture each, in base64."""

from collections.abc import Mapping

from billogram_sandbox.call import Call, Handler
from billogram_sandbox.content import decoded
from billogram_sandbox.documents import Json
from billogram_sandbox.shapes import Shape, read

NONE: Json = {"content": None, "file_type": None}
KINDS: Mapping[bytes, str] = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
}


class Picture(Shape):
    content: str
    file_type: str | None = None


def shown(name: str) -> Handler:
    def get(call: Call) -> Json:
        return {"status": "OK", "data": call.sandbox.database.get(name) or NONE}

    return get


def stored(name: str) -> Handler:
    def put(call: Call) -> Json:
        wanted = read(Picture, call.body)
        doc = {"content": wanted.content, "file_type": decoded(wanted.content, KINDS).kind}
        call.sandbox.database.put(name, doc)
        return {"status": "OK", "data": doc}

    return put


def removed(name: str) -> Handler:
    def delete(call: Call) -> Json:
        call.sandbox.database.put(name, None)
        return {"status": "OK", "data": {}}

    return delete
