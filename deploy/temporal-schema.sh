#!/bin/sh
# Migrates Temporal's schema in its two databases; a repeat changes nothing. Host, user, and password come from SQL_….
set -eu

versions=${TEMPORAL_SCHEMAS:-/etc/temporal/schema/postgresql/v12}

migrate() {
    temporal-sql-tool --plugin postgres12 --db "$1" setup-schema -v 0.0
    temporal-sql-tool --plugin postgres12 --db "$1" update-schema -d "$versions/$2/versioned"
}

migrate temporal temporal
migrate temporal_visibility visibility
