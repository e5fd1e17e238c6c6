"""Counts API requests by kind, in memory, since the start or the last reset."""

from collections import Counter

from billogram_sandbox.core.documents import Json

COUNTED = frozenset(
    {"billogram", "billogram_event", "customer", "item", "settings", "logotype", "coverphoto", "report"}
    | {"payment_source", "sepa_dd_mandate"}
)


class Stats:
    def __init__(self) -> None:
        self._requests: Counter[str] = Counter()

    def count(self, method: str, path: str) -> str:
        """Returns the name under which it is counted."""
        name = f"{method} {_template(path)}"
        self._requests[name] += 1
        return name

    def reset(self) -> None:
        self._requests.clear()

    def document(self) -> Json:
        return {"requests": dict(sorted(self._requests.items())), "total": self._requests.total()}


def _template(path: str) -> str:
    kind, *rest = path.strip("/").split("/")
    if kind not in COUNTED or len(rest) > 3:
        return "other"
    return "/".join(["", kind, *(["{id}", *rest[1:]] if rest else [])])
