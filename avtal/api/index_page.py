"""`GET /`: the index of this web process, as HTML for a browser, else as JSON."""

from html import escape

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, JSONResponse, Response

LINKS = {
    "portal": ("/portal/", "the operator's pages"),
    "docs": ("/docs", "the JSON API, with forms to try it"),
    "openapi": ("/openapi.json", "the JSON API as an OpenAPI document"),
    "api": ("/v1/contracts", "the contracts of your account; send Authorization: Bearer KEY"),
    "health": ("/healthz", "whether the process is up"),
    "readiness": ("/readyz", "whether its store, Temporal, and relay are ready"),
    "metrics": ("/metrics", "metrics for Prometheus"),
}

router = APIRouter(include_in_schema=False)


@router.get("/")
async def index(request: Request) -> Response:
    if "text/html" in request.headers.get("accept", ""):
        return HTMLResponse(_html())
    places = {name: {"href": path, "what": what} for name, (path, what) in LINKS.items()}
    return JSONResponse({"name": "Avtal", "what": "subscription contracts, paid by invoice", "places": places})


def _html() -> str:
    rows = "".join(f'<li><a href="{path}">{path}</a> {escape(what)}</li>' for path, what in LINKS.values())
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Avtal</title>'
        f"<h1>Avtal</h1><p>Subscription contracts, paid by invoice.</p><ul>{rows}</ul></html>"
    )
