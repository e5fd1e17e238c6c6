"""Runs `avtal` in process, and builds the sale that the tests sell."""

import json

from typer.testing import CliRunner, Result

from avtal.cli.app import app


def avtal(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner(env={"COLUMNS": None}).invoke(app, arguments, input=stdin)


def succeeded(*arguments: str, stdin: str | None = None) -> str:
    """What the command printed."""
    result = avtal(*arguments, stdin=stdin)
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(*arguments: str) -> str:
    """The one line on stderr of a command that failed."""
    result = avtal(*arguments)
    assert result.exit_code == 1, result.output
    assert result.stdout == ""
    [line] = result.stderr.splitlines()
    return line


def sale(contract_id: str, **changes: object) -> str:
    defaults: dict[str, object] = {
        "contract_id": contract_id,
        "subscriber": {"subscriber_id": "s-1", "name": "Anna Lundberg", "email": "anna@example.com"},
        "lines": [{"title": "Global [red]", "quantity": 1, "unit_price": "395.00", "vat_rate": "25"}],
        "interval": {"unit": "month"},
    }
    return json.dumps(defaults | changes)
