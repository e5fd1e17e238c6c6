"""Calls the JSON API for a command. A failed call ends the command with one line."""

import json
from typing import NamedTuple, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from avtal.api.responses.bodies import ProblemBody
from avtal.cli.settings import settings
from avtal.cli.terminal import fail
from avtal.contracts.access.explanation import Language
from avtal.embedded.addresses import Addresses, addresses_file, read_addresses

TIMEOUT_SECONDS = 30.0

Model = TypeVar("Model", bound=BaseModel)


class Endpoint(NamedTuple):
    url: str
    key: str


class ApiClient:
    def __init__(self, endpoint: Endpoint) -> None:
        self._url = endpoint.url
        self._http = httpx.Client(
            base_url=f"{endpoint.url.rstrip('/')}/v1",
            headers={"Authorization": f"Bearer {endpoint.key}"},
            timeout=TIMEOUT_SECONDS,
        )

    def __enter__(self) -> "ApiClient":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def set_language(self, language: Language) -> None:
        """Sets the language of explanations."""
        self._http.headers["Accept-Language"] = language

    def get(self, path: str, **query: str) -> bytes:
        return _content(self.request("GET", path, **query))

    def post(self, path: str, body: object = None) -> bytes:
        return _content(self.request("POST", path, None if body is None else json.dumps(body)))

    def request(self, verb: str, path: str, body: str | None = None, **query: str) -> httpx.Response:
        """The response, also a refusal; but a refused key ends the command."""
        headers = {} if body is None else {"Content-Type": "application/json"}
        content = None if body is None else body.encode()
        try:
            response = self._http.request(verb, path, content=content, headers=headers, params=query)
        except (httpx.TransportError, httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            fail(
                f"{self._url} does not respond ({_reason(error)}): is it running? `avtal up` starts the embedded stack"
            )
        if response.status_code == httpx.codes.UNAUTHORIZED:
            fail(f"{self._url} refuses this API key: set AVTAL_API_KEY; `avtal account new-key` creates one")
        return response


def api_client() -> ApiClient:
    endpoint = _endpoint()
    if not endpoint.key.isascii():
        fail("AVTAL_API_KEY has a character that no API key has: copy it again; `avtal account new-key` creates one")
    return ApiClient(endpoint)


def parse(model: type[Model], content: bytes) -> Model:
    try:
        return model.model_validate_json(content)
    except ValidationError:
        fail("the response is not from Avtal: check AVTAL_URL")


def refusal(response: httpx.Response) -> str | None:
    """The reason in one line; None if the call succeeded."""
    if response.is_success:
        return None
    try:
        return ProblemBody.model_validate_json(response.content).detail
    except ValidationError:
        return f"{response.url} responded with {response.status_code}"


def stack_addresses() -> Addresses:
    """The addresses of the embedded stack that runs on the data directory. Without one, the command ends."""
    data_dir = settings().data_dir
    try:
        addresses = read_addresses(data_dir)
    except (OSError, ValueError):
        fail(f"{addresses_file(data_dir)} can't be read: stop the stack, and start it again with `avtal up`")
    return addresses or fail(
        f"no stack runs on {data_dir}: start one with `avtal up`, or set AVTAL_URL and AVTAL_API_KEY"
    )


def _content(response: httpx.Response) -> bytes:
    reason = refusal(response)
    if reason is not None:
        fail(reason)
    return response.content


def _endpoint() -> Endpoint:
    """AVTAL_URL and AVTAL_API_KEY, else the embedded stack's own; AVTAL_API_KEY may name another of its accounts."""
    given = settings()
    if given.url is not None:
        return Endpoint(
            given.url, given.api_key or fail("AVTAL_URL is set, but AVTAL_API_KEY is not: set both or none")
        )
    addresses = stack_addresses()
    return Endpoint(addresses.web, given.api_key or addresses.api_key)


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
