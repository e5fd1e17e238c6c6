#!/bin/sh
# Run by the PostgreSQL image on a new volume: creates a user for Avtal and one for Temporal, with their databases.
set -eu
: "${AVTAL_DB_PASSWORD:?}" "${TEMPORAL_DB_PASSWORD:?}"

psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres <<'SQL'
\getenv avtal_password AVTAL_DB_PASSWORD
\getenv temporal_password TEMPORAL_DB_PASSWORD
CREATE ROLE avtal LOGIN PASSWORD :'avtal_password';
CREATE ROLE temporal LOGIN PASSWORD :'temporal_password';
CREATE DATABASE avtal OWNER avtal;
CREATE DATABASE temporal OWNER temporal;
CREATE DATABASE temporal_visibility OWNER temporal;
REVOKE CONNECT ON DATABASE avtal, temporal, temporal_visibility FROM PUBLIC;
SQL
