"""What the doctor checks over HTTP: Billogram and the callbacks of each account, the web, and the clocks of both."""

import email.utils
from datetime import UTC, datetime

import httpx

from avtal.billogram.client import BillogramClient, Credentials, http_client
from avtal.billogram.errors import BillogramError, PlatformUnavailable
from avtal.cli.doctor.installation import Installation, Unknown, Wrong
from avtal.cli.doctor.store_checks import Account
from avtal.store.accounts.accounts import PlatformAccess

SKEW_SECONDS_MAX = 30
NO_ANSWER = (httpx.HTTPError, httpx.InvalidURL)


async def check_credentials(_place: Installation, account: Account) -> str:
    access = _opened(account)
    mend = f"`avtal account set {account.name} --billogram-user … --billogram-key …`"
    if not (access.user and access.key):
        raise Wrong("no credentials", mend)
    try:
        async with http_client() as http:
            await BillogramClient(http, Credentials(access.url, access.user, access.key)).check_credentials()
    except PlatformUnavailable as error:
        raise Wrong(
            f"no usable answer from {access.url} ({error})", "check --billogram-url, and the way out"
        ) from error
    except BillogramError as error:
        raise Wrong(f"{access.url} refuses the credentials ({error})", mend) from error
    return f"{access.url} accepts the credentials"


async def check_callback_key(_place: Installation, account: Account) -> str:
    count = len([key for key in _opened(account).callback_keys if key])
    if not count:
        raise Wrong(
            "no callback key: every callback is refused", f"`avtal account set {account.name} --callback-key …`"
        )
    return "one key is valid" if count == 1 else f"{count} keys are valid"


async def check_receiver(place: Installation, account: Account) -> str:
    """A callback without a signature is refused and leaves no trace: so the receiver is there, and on its guard."""
    url = f"{_web(place)}/callbacks/billogram/{account.name}"
    answer = await _ask(place, "POST", url)
    if answer.status_code == httpx.codes.UNAUTHORIZED:
        return f"{url} refuses what is not signed"
    if answer.is_success:
        raise Wrong(f"{url} takes what is not signed", "that is not Avtal: check AVTAL_URL, and stop it")
    advice = "check AVTAL_URL, that the web serves callbacks, and that it uses the same database"
    raise Wrong(f"{url} answers {answer.status_code} instead of 401", advice)


async def check_web(place: Installation) -> str:
    url = f"{_web(place)}/readyz"
    try:
        answer = await place.http.get(url)
    except NO_ANSWER as error:
        raise Wrong(
            f"{url} does not answer ({type(error).__name__})", "start `avtal web`, or mend AVTAL_URL"
        ) from error
    if answer.status_code != httpx.codes.OK:
        raise Wrong(f"{url} answers {answer.status_code}: {_detail(answer)}", "see the web's log")
    return f"{url} says that it is ready"


async def check_clock(place: Installation, url: str) -> str:
    """Signatures are dated, and due dates counted, by each machine's own clock."""
    answer = await _ask(place, "HEAD", url)
    theirs = email.utils.parsedate_to_datetime(answer.headers["date"]) if "date" in answer.headers else None
    if theirs is None:
        raise Unknown(f"{url} does not tell its time")
    skew = (datetime.now(UTC) - theirs.astimezone(UTC)).total_seconds()
    if abs(skew) > SKEW_SECONDS_MAX:
        way = "ahead of" if skew > 0 else "behind"
        raise Wrong(f"ours is {abs(skew):.0f} s {way} it", "set both by NTP")
    return "agrees with ours"


def _opened(account: Account) -> PlatformAccess:
    if account.access is None:
        raise Unknown("its secrets can't be read")
    return account.access


async def _ask(place: Installation, verb: str, url: str) -> httpx.Response:
    try:
        return await place.http.request(verb, url)
    except NO_ANSWER as error:
        raise Unknown(f"{url} does not answer") from error


def _web(place: Installation) -> str:
    if place.web_url is None:
        raise Unknown("AVTAL_URL is not set")
    return place.web_url


def _detail(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return "no reason given"
