"""The command `avtal`."""

from cli.app import app


def main() -> None:
    app()
