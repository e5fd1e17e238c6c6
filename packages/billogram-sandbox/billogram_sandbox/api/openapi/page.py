"""The OpenAPI document at /openapi.json, and as a page without external resources at /docs."""

import json
from collections.abc import Callable, Iterator
from html import escape

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from billogram_sandbox.core.documents import Json
from billogram_sandbox.core.envelope import json_response

STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "pre{overflow:auto;max-height:20rem;background:#f4f4f4;padding:.5rem}summary{cursor:pointer}code{font-size:.95em}"
)


def documentation_routes(document: Callable[[], Json]) -> list[Route]:
    async def serve_json(_: Request) -> Response:
        return json_response(document())

    async def serve_page(_: Request) -> Response:
        return Response(_page(document()), media_type="text/html")

    return [Route("/openapi.json", serve_json), Route("/docs", serve_page)]


def _page(document: Json) -> str:
    info = document["info"]
    shapes = document["components"]["schemas"]
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width">',
            f"<title>{escape(info['title'])}</title><style>{STYLE}</style></head><body><main>",
            f"<h1>{escape(info['title'])}</h1><p>{escape(info['description'])}</p>",
            '<p>For programs: <a href="/openapi.json">/openapi.json</a></p>',
            *_operations(document["paths"]),
            "<h2>Callbacks</h2>",
            *(_operation("POST", name, webhook["post"]) for name, webhook in document["webhooks"].items()),
            "<h2>Shapes</h2><p>Of requests (given) and responses (shown).</p>",
            *(_shape(name, schema) for name, schema in shapes.items()),
            "</main></body></html>",
        ]
    )


def _operations(paths: Json) -> Iterator[str]:
    tag = ""
    for path, verbs in paths.items():
        for verb, operation in verbs.items():
            if operation["tags"][0] != tag:
                tag = operation["tags"][0]
                yield f"<h2>{escape(tag.capitalize())}</h2>"
            yield _operation(verb.upper(), path, operation)


def _operation(verb: str, path: str, operation: Json) -> str:
    parts = [f"<li>{escape(one['in'])} <code>{escape(one['name'])}</code></li>" for one in operation["parameters"]]
    if "requestBody" in operation:
        parts.append(f"<li>takes {_link(operation['requestBody'])}</li>")
    for code, response in operation["responses"].items():
        parts.append(f"<li>{code} {escape(response['description'])} {_link(response)}</li>")
    title = f"<code>{verb} {escape(path)}</code> {escape(operation['summary'])}"
    return f"<details><summary>{title}</summary><ul>{''.join(parts)}</ul></details>"


def _link(holder: Json) -> str:
    """A link to the shape of its content, if it has one."""
    for content in holder.get("content", {}).values():
        schema = content["schema"].get("anyOf", [content["schema"]])[0]
        if name := schema.get("$ref", "").rpartition("/")[2]:
            return f'<a href="#{name}">{escape(name)}</a>'
    return ""


def _shape(name: str, schema: Json) -> str:
    return f'<h3 id="{name}">{escape(name)}</h3><pre tabindex="0">{escape(json.dumps(schema, indent=1))}</pre>'
