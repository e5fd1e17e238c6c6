"""Billogram's errors: whose fault each is, and whether a retry helps.

    BillogramError
    ├── PlatformUnavailable     theirs or the network's: retry later
    │   └── OutcomeUnknown      the same, but the request may have been carried out: check before a retry
    ├── CredentialsRefused      the account's configuration: retry later, an operator fixes it meanwhile
    ├── DataRefused             the data's: never retry it unchanged; `field` and `provider_message` say what to fix
    │   └── KeyExists           an object with this unique key or number exists: find it
    ├── StateRefused            the object is in another state than expected: read it
    └── NotFound                no such object

The text of an error holds codes and field names only. `provider_message` may contain personal data, and stays out of
histories and logs.
"""


class BillogramError(Exception):
    def __init__(
        self, code: str, field: str | None = None, provider_message: str = "", retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(f"{code} at {field}" if field else code)
        self.code = code
        self.field = field
        self.provider_message = provider_message
        self.retry_after_seconds = retry_after_seconds
        """From the header Retry-After, if there was one."""


class PlatformUnavailable(BillogramError): ...


class OutcomeUnknown(PlatformUnavailable): ...


class CredentialsRefused(BillogramError): ...


class DataRefused(BillogramError): ...


class KeyExists(DataRefused): ...


class StateRefused(BillogramError): ...


class NotFound(BillogramError): ...
