"""Templates into pages. Whatever stands in them is escaped; only `writing` makes markup."""

from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from avtal.portal import formatting as writing
from avtal.portal.forms import form_key, secret_of
from avtal.portal.sessions import PREFIX
from avtal.portal.static_files import FILES, address
from avtal.portal.texts import ENGLISH

HERE = Path(__file__).parent


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(day=writing.day, moment=writing.moment, amount=writing.amount, web_address=writing.web_address)
    made.filters["capital"] = writing.capital
    made.globals.update(t=ENGLISH, prefix=PREFIX, files={name: PREFIX + address(name) for name in FILES})
    return made


ENVIRONMENT = _environment()


def page(
    request: Request,
    template: str,
    status: int = 200,
    *,
    headers: Mapping[str, str] | None = None,
    secret: str | None = None,
    **values: object,
) -> HTMLResponse:
    """`secret` is that of the page's forms; the visitor's own unless given."""
    secret = secret or secret_of(request)
    body = ENVIRONMENT.get_template(template).render(
        status=status,
        status_phrase=HTTPStatus(status).phrase,
        operator=getattr(request.state, "operator", None),
        form_key=form_key(secret) if secret else "",
        **values,
    )
    return HTMLResponse(body, status, headers)
