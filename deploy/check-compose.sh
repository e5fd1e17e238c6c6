#!/bin/sh
# Whether Compose takes docker-compose.yml, where there is a Compose to ask; no engine is needed.
set -eu
cd "${0%/*}/.."

if command -v docker-compose >/dev/null; then
    compose=docker-compose
elif docker compose version >/dev/null 2>&1; then
    compose="docker compose"
else
    echo "docker-compose.yml was not checked: there is no Compose here"
    exit 0
fi
export POSTGRES_PASSWORD=any AVTAL_DB_PASSWORD=any TEMPORAL_DB_PASSWORD=any AVTAL_SECRET_KEY=any
$compose --file docker-compose.yml config --quiet
echo "docker-compose.yml is one that $compose takes"
