# Installs into .venv with uv and the lock file, and nothing outside the checkout.
SHELL := /bin/bash
UV := $(shell command -v uv 2>/dev/null || echo .venv/bin/uv)
WORKSPACE := $(wildcard packages/*/pyproject.toml)

.PHONY: demo up test check pictures wheels install

demo: install
	.venv/bin/python -m avtal.embedded.demo

up: install
	.venv/bin/avtal up

test: install
	.venv/bin/python -m pytest -n auto --no-loadscope-reorder

check: install
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	deploy/check-compose.sh

# The pictures of the README, from a running demo; needs Chromium.
pictures: install
	.venv/bin/python docs/pictures/make.py

wheels: install
	$(UV) build --quiet --all-packages --wheel --out-dir dist

install: .venv/installed

.venv/installed: pyproject.toml uv.lock $(WORKSPACE)
	@python3 -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "Python's venv is missing: install it first (Debian, Ubuntu: apt-get install python3-venv)" >&2; exit 1; }
	@test -x .venv/bin/python || python3 -m venv .venv
	@command -v $(UV) >/dev/null || .venv/bin/python -m pip install --quiet --disable-pip-version-check uv
	@UV_PROJECT_ENVIRONMENT=.venv $(UV) sync --quiet --frozen --all-packages --extra embedded --extra postgresql --inexact
	@touch $@
