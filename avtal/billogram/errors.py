"""What can go wrong at Billogram: whose fault it is, and whether trying again helps.

    BillogramError
    ├── PlatformUnavailable     theirs or the network's: try again later
    │   └── OutcomeUnknown      the same, but the request may have been carried out: look before repeating it
    ├── CredentialsRefused      the account's set-up: try again later, a person mends it meanwhile
    ├── DataRefused             the data's: never repeat it as it is; `field` and `provider_message` say what to fix
    │   └── KeyExists           an object with this unique key or number is there already: look it up
    ├── StateRefused            the object is in another state than we thought: read it
    └── NotFound                no such object

The text of these errors holds codes and field names only; the platform's own words, which may name the reader, are in
`provider_message` and stay out of histories and logs.
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
        """In so many seconds they want to be asked again, if they said so."""


class PlatformUnavailable(BillogramError): ...


class OutcomeUnknown(PlatformUnavailable): ...


class CredentialsRefused(BillogramError): ...


class DataRefused(BillogramError): ...


class KeyExists(DataRefused): ...


class StateRefused(BillogramError): ...


class NotFound(BillogramError): ...
