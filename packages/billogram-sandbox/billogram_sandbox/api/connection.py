"""One HTTP connection as uvicorn serves it, and a way for the application to hang up without an answer."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HANG_UP = "billogram_sandbox.hang_up"
"""Among the extensions in a request's scope."""


class Connection(HttpToolsProtocol):
    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {HANG_UP: {"now": self.transport.close}}
