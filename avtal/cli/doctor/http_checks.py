"""Checks over HTTP: Billogram and callbacks of each account, the web, and the clocks of both."""

import email.utils
from datetime import UTC, datetime

import httpx

from avtal.billogram.client import BillogramClient
from avtal.billogram.errors import BillogramError, PlatformUnavailable
from avtal.billogram.transport import http_client
from avtal.cli.doctor.installation import CheckFailed, CheckSkipped, Installation
from avtal.cli.doctor.store_checks import Account
from avtal.store.accounts.accounts import PlatformCredentials

SKEW_SECONDS_MAX = 30
NO_RESPONSE = (httpx.HTTPError, httpx.InvalidURL)


async def check_credentials(_installation: Installation, account: Account) -> str:
    credentials = _credentials(account)
    advice = f"run `avtal account set {account.name} --billogram-user … --billogram-key …`"
    if not (credentials.user and credentials.key):
        raise CheckFailed("no credentials", advice)
    try:
        async with http_client() as http:
            await BillogramClient(http, credentials).check_credentials()
    except PlatformUnavailable as error:
        message = f"no usable response from {credentials.url} ({error})"
        raise CheckFailed(message, "check --billogram-url and the network") from error
    except BillogramError as error:
        raise CheckFailed(f"{credentials.url} refuses the credentials ({error})", advice) from error
    return f"{credentials.url} accepts the credentials"


async def check_callback_key(_installation: Installation, account: Account) -> str:
    count = len([key for key in _credentials(account).callback_keys if key])
    if not count:
        advice = f"run `avtal account set {account.name} --callback-key …`"
        raise CheckFailed("no callback key: every callback is refused", advice)
    return "one key is valid" if count == 1 else f"{count} keys are valid"


async def check_receiver(installation: Installation, account: Account) -> str:
    """Sends a callback without a signature, which the receiver must refuse. Nothing is stored."""
    url = f"{_web(installation)}/callbacks/billogram/{account.name}"
    response = await _request(installation, "POST", url)
    if response.status_code == httpx.codes.UNAUTHORIZED:
        return f"{url} refuses unsigned callbacks"
    if response.is_success:
        raise CheckFailed(f"{url} accepts unsigned callbacks", "that is not Avtal: check AVTAL_URL")
    advice = "check AVTAL_URL, that the web serves callbacks, and that it uses the same database"
    raise CheckFailed(f"{url} responds with {response.status_code} instead of 401", advice)


async def check_web(installation: Installation) -> str:
    url = f"{_web(installation)}/readyz"
    try:
        response = await installation.http.get(url)
    except NO_RESPONSE as error:
        message = f"{url} does not respond ({type(error).__name__})"
        raise CheckFailed(message, "start `avtal web`, or fix AVTAL_URL") from error
    if response.status_code != httpx.codes.OK:
        raise CheckFailed(f"{url} responds with {response.status_code}: {_detail(response)}", "see the web's log")
    return f"{url} is ready"


async def check_clock(installation: Installation, url: str) -> str:
    """Signatures and due dates depend on each machine's own clock."""
    response = await _request(installation, "HEAD", url)
    theirs = email.utils.parsedate_to_datetime(response.headers["date"]) if "date" in response.headers else None
    if theirs is None:
        raise CheckSkipped(f"{url} sends no Date header")
    skew = (datetime.now(UTC) - theirs.astimezone(UTC)).total_seconds()
    if abs(skew) > SKEW_SECONDS_MAX:
        direction = "ahead of" if skew > 0 else "behind"
        raise CheckFailed(f"ours is {abs(skew):.0f} s {direction} it", "set both by NTP")
    return "agrees with ours"


def _credentials(account: Account) -> PlatformCredentials:
    if account.credentials is None:
        raise CheckSkipped("its secrets can't be read")
    return account.credentials


async def _request(installation: Installation, verb: str, url: str) -> httpx.Response:
    try:
        return await installation.http.request(verb, url)
    except NO_RESPONSE as error:
        raise CheckSkipped(f"{url} does not respond") from error


def _web(installation: Installation) -> str:
    if installation.web_url is None:
        raise CheckSkipped("AVTAL_URL is not set")
    return installation.web_url


def _detail(response: httpx.Response) -> str:
    try:
        return str(response.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return "no reason given"
