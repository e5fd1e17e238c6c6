"""Calls of the JSON API: where the web is, and what its refusals and silences mean to a person."""

import json
from typing import NamedTuple, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from avtal.api.responses.models import ProblemBody
from avtal.cli.failure import fail
from avtal.cli.settings import settings
from avtal.contracts.access.explanation import Language
from avtal.embedded.addresses import addresses_file, read_addresses

ANSWERS_WITHIN_SECONDS = 30.0

Model = TypeVar("Model", bound=BaseModel)


class Place(NamedTuple):
    url: str
    key: str


class Web:
    """One connection to the API. A call that can't be made ends the command with one line."""

    def __init__(self, place: Place) -> None:
        self._url = place.url
        self._http = httpx.Client(
            base_url=f"{place.url.rstrip('/')}/v1",
            headers={"Authorization": f"Bearer {place.key}"},
            timeout=ANSWERS_WITHIN_SECONDS,
        )

    def __enter__(self) -> "Web":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def speak(self, language: Language) -> None:
        """Explanations come in this language from now on."""
        self._http.headers["Accept-Language"] = language

    def get(self, path: str, **query: str) -> bytes:
        return _accepted(self.ask("GET", path, **query))

    def post(self, path: str, body: object = None) -> bytes:
        return _accepted(self.ask("POST", path, None if body is None else json.dumps(body)))

    def ask(self, verb: str, path: str, body: str | None = None, **query: str) -> httpx.Response:
        """The answer, also if it is a refusal, but for one of the key, which no other call would survive."""
        headers = {} if body is None else {"Content-Type": "application/json"}
        content = None if body is None else body.encode()
        try:
            response = self._http.request(verb, path, content=content, headers=headers, params=query)
        except (httpx.TransportError, httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            fail(f"{self._url} does not answer ({_words(error)}): is it running? `avtal up` starts the embedded stack")
        if response.status_code == httpx.codes.UNAUTHORIZED:
            fail(f"{self._url} does not know this API key: set AVTAL_API_KEY; `avtal account new-key` makes one")
        return response


def web() -> Web:
    return Web(_place())


def read(model: type[Model], answer: bytes) -> Model:
    try:
        return model.model_validate_json(answer)
    except ValidationError:
        fail("the answer is none of Avtal's: is AVTAL_URL right?")


def refusal(response: httpx.Response) -> str | None:
    """Why the call was refused, in one line; None if it was not."""
    if response.is_success:
        return None
    try:
        return ProblemBody.model_validate_json(response.content).detail
    except ValidationError:
        return f"{response.url} answered {response.status_code}"


def _accepted(response: httpx.Response) -> bytes:
    why = refusal(response)
    if why is not None:
        fail(why)
    return response.content


def _place() -> Place:
    """AVTAL_URL and AVTAL_API_KEY, else the embedded stack's own; another account's key may be used with it."""
    given = settings()
    if given.url is not None:
        return Place(given.url, given.api_key or fail("AVTAL_URL is set, but AVTAL_API_KEY is not: set both or none"))
    try:
        found = read_addresses(given.data_dir)
    except (OSError, ValueError):
        fail(f"{addresses_file(given.data_dir)} can't be read: stop the stack, and start it again with `avtal up`")
    if found is None:
        fail(f"no stack runs on {given.data_dir}: start one with `avtal up`, or set AVTAL_URL and AVTAL_API_KEY")
    return Place(found.web, given.api_key or found.api_key)


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
