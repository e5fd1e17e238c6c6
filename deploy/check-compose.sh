#!/bin/sh
# Validates docker-compose.yml with Compose if it is installed; needs no engine.
set -eu
cd "${0%/*}/.."

if command -v docker-compose >/dev/null; then
    compose=docker-compose
elif docker compose version >/dev/null 2>&1; then
    compose="docker compose"
else
    echo "docker-compose.yml was not checked: Compose is not installed"
    exit 0
fi
export POSTGRES_PASSWORD=any AVTAL_DB_PASSWORD=any TEMPORAL_DB_PASSWORD=any AVTAL_SECRET_KEY=any
$compose --file docker-compose.yml config --quiet
echo "docker-compose.yml is valid for $compose"
