"""Renders pages. All values are escaped; only `formatting` makes markup."""

from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from avtal.portal import formatting, static_files
from avtal.portal.forms import form_key, form_secret
from avtal.portal.sessions import PREFIX
from avtal.portal.texts import ENGLISH

HERE = Path(__file__).parent
FILTERS = (
    formatting.amount,
    formatting.capitalize_first,
    formatting.day,
    formatting.instant,
    formatting.web_address,
)


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for filter_ in FILTERS:
        environment.filters[filter_.__name__] = filter_
    files = {name: PREFIX + static_files.url(name) for name in static_files.FILES}
    environment.globals.update(t=ENGLISH, prefix=PREFIX, files=files)
    return environment


ENVIRONMENT = _environment()


def render_page(
    request: Request,
    template: str,
    status: int = 200,
    *,
    headers: Mapping[str, str] | None = None,
    secret: str | None = None,
    **values: object,
) -> HTMLResponse:
    """`secret` protects the page's forms; it is the request's own unless given."""
    secret = secret or form_secret(request)
    body = ENVIRONMENT.get_template(template).render(
        status=status,
        status_phrase=HTTPStatus(status).phrase,
        operator=getattr(request.state, "operator", None),
        form_key=form_key(secret) if secret else "",
        **values,
    )
    return HTMLResponse(body, status, headers)
