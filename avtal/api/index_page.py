"""`GET /`: what is here, and where to go."""

from html import escape

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, JSONResponse, Response

PLACES = {
    "portal": ("/portal/", "the operator's pages"),
    "docs": ("/docs", "the JSON API, to read and to try"),
    "openapi": ("/openapi.json", "the same for programs"),
    "api": ("/v1/contracts", "the contracts of your account; send Authorization: Bearer KEY"),
    "health": ("/healthz", "whether the process is up"),
    "readiness": ("/readyz", "whether its store, Temporal, and relay work"),
    "metrics": ("/metrics", "figures for Prometheus"),
}

router = APIRouter(include_in_schema=False)


@router.get("/")
async def front(request: Request) -> Response:
    """HTML for a browser, JSON for everyone else."""
    if "text/html" in request.headers.get("accept", ""):
        return HTMLResponse(_page())
    places = {name: {"href": path, "what": what} for name, (path, what) in PLACES.items()}
    return JSONResponse({"name": "Avtal", "what": "subscription contracts, paid by invoice", "places": places})


def _page() -> str:
    rows = "".join(f'<li><a href="{path}">{path}</a> {escape(what)}</li>' for path, what in PLACES.values())
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Avtal</title>'
        f"<h1>Avtal</h1><p>Subscription contracts, paid by invoice.</p><ul>{rows}</ul></html>"
    )
