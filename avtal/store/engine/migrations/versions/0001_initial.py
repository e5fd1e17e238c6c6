"""The first schema."""

import sqlalchemy as sa
from alembic import op

from avtal.store.tables.columns import Instant

revision = "initial"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("platform_url", sa.String(), nullable=False),
        sa.Column("platform_user", sa.String(), nullable=False),
        sa.Column("platform_key", sa.String(), nullable=False),
        sa.Column("callback_keys", sa.JSON(), nullable=False),
        sa.Column("next_customer_no", sa.Integer(), nullable=False),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("account"),
    )
    op.create_table(
        "callbacks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("callback_id", sa.String(), nullable=False),
        sa.Column("group_key", sa.String(), nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("next_attempt_at", sa.Double(), nullable=False),
        sa.Column("give_up_at", sa.Double(), nullable=False),
        sa.Column("leased_until", sa.Double(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account", "callback_id", name="callback_once"),
    )
    op.create_index("callbacks_due", "callbacks", ["state", "next_attempt_at"], unique=False)
    op.create_index("callbacks_leased", "callbacks", ["state", "leased_until", "group_key"], unique=False)
    op.create_table(
        "clock",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("offset_seconds", sa.Double(), nullable=False),
        sa.Column("target", Instant(), nullable=True),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "login_attempts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_name", sa.String(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_login_attempts_at"), "login_attempts", ["at"], unique=False)
    op.create_index(op.f("ix_login_attempts_user_name"), "login_attempts", ["user_name"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("contract_id", sa.String(), nullable=False),
        sa.Column("bill_id", sa.String(), nullable=True),
        sa.Column("next_attempt_at", sa.Double(), nullable=False),
        sa.Column("leased_until", sa.Double(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.Column("traceparent", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("outbox_by_contract", "outbox", ["account", "contract_id", "id"], unique=False)
    op.create_table(
        "sweeps",
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("next_attempt_at", sa.Double(), nullable=False),
        sa.Column("leased_until", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("account"),
    )
    op.create_table(
        "api_keys",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account"],
            ["accounts.account"],
        ),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_index(op.f("ix_api_keys_account"), "api_keys", ["account"], unique=False)
    op.create_table(
        "endpoints",
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("secret", sa.String(), nullable=False),
        sa.Column("old_secret", sa.String(), nullable=True),
        sa.Column("old_secret_until", sa.Double(), nullable=False),
        sa.Column("queued_seq", sa.Integer(), nullable=False),
        sa.Column("delivered_seq", sa.Integer(), nullable=True),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.Column("last_error_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account"],
            ["accounts.account"],
        ),
        sa.PrimaryKeyConstraint("account"),
    )
    op.create_table(
        "feeds",
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("last_seq", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account"],
            ["accounts.account"],
        ),
        sa.PrimaryKeyConstraint("account"),
    )
    op.create_table(
        "operators",
        sa.Column("user_name", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account"],
            ["accounts.account"],
        ),
        sa.PrimaryKeyConstraint("user_name"),
    )
    op.create_index(op.f("ix_operators_account"), "operators", ["account"], unique=False)
    op.create_table(
        "policies",
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("policy", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account"],
            ["accounts.account"],
        ),
        sa.PrimaryKeyConstraint("account", "version"),
    )
    op.create_table(
        "start_slots",
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("hour", Instant(), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account"],
            ["accounts.account"],
        ),
        sa.PrimaryKeyConstraint("account", "hour"),
    )
    op.create_table(
        "subscribers",
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("subscriber_id", sa.String(), nullable=False),
        sa.Column("subscriber", sa.JSON(), nullable=False),
        sa.Column("data_version", sa.Integer(), nullable=False),
        sa.Column("customer_no", sa.Integer(), nullable=True),
        sa.Column("platform_data_version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account"],
            ["accounts.account"],
        ),
        sa.PrimaryKeyConstraint("account", "subscriber_id"),
    )
    op.create_table(
        "contracts",
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("contract_id", sa.String(), nullable=False),
        sa.Column("subscriber_id", sa.String(), nullable=False),
        sa.Column("sold_at", Instant(), nullable=False),
        sa.Column("sale_digest", sa.String(), nullable=False),
        sa.Column("current_terms", sa.JSON(), nullable=False),
        sa.Column("schedule", sa.JSON(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("prices_include_vat", sa.Boolean(), nullable=False),
        sa.Column("counter", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("access", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("ending", sa.JSON(), nullable=True),
        sa.Column("skipped_periods", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account", "subscriber_id"],
            ["subscribers.account", "subscribers.subscriber_id"],
            name="contract_subscriber",
        ),
        sa.PrimaryKeyConstraint("account", "contract_id"),
    )
    op.create_index("contracts_by_status", "contracts", ["account", "status", "contract_id"], unique=False)
    op.create_index("contracts_by_subscriber", "contracts", ["account", "subscriber_id"], unique=False)
    op.create_table(
        "events",
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column("contract_id", sa.String(), nullable=False),
        sa.Column("bill_id", sa.String(), nullable=True),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("recorded", Instant(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account"],
            ["feeds.account"],
        ),
        sa.PrimaryKeyConstraint("account", "seq"),
    )
    op.create_index("events_of_contract", "events", ["account", "contract_id", "seq"], unique=False)
    op.create_table(
        "operator_sessions",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("user_name", sa.String(), nullable=False),
        sa.Column("ends_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_name"],
            ["operators.user_name"],
        ),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_index(op.f("ix_operator_sessions_ends_at"), "operator_sessions", ["ends_at"], unique=False)
    op.create_index(op.f("ix_operator_sessions_user_name"), "operator_sessions", ["user_name"], unique=False)
    op.create_table(
        "bills",
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("bill_id", sa.String(), nullable=False),
        sa.Column("contract_id", sa.String(), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("period_no", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("period_start", sa.Date(), nullable=False),
        sa.Column("period_end", sa.Date(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("made", sa.Boolean(), nullable=False),
        sa.Column("void", sa.Boolean(), nullable=False),
        sa.Column("parked_reason", sa.String(), nullable=True),
        sa.Column("parked_field", sa.String(), nullable=True),
        sa.Column("provider_message", sa.String(), nullable=True),
        sa.Column("traceparent", sa.String(), nullable=True),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        sa.Column("grace_days", sa.Integer(), nullable=True),
        sa.Column("on_loss", sa.String(), nullable=False),
        sa.Column("lead_days", sa.Integer(), nullable=False),
        sa.Column("work_window_minutes", sa.Integer(), nullable=False),
        sa.Column("start_slot_seconds", sa.Integer(), nullable=False),
        sa.Column("renewal_while_off", sa.String(), nullable=False),
        sa.Column("max_open_bills", sa.Integer(), nullable=True),
        sa.Column("payment_days", sa.Integer(), nullable=False),
        sa.Column("delivery_method", sa.String(), nullable=True),
        sa.Column("edi_number", sa.String(), nullable=True),
        sa.Column("customer_no", sa.Integer(), nullable=True),
        sa.Column("rows", sa.JSON(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("agreed_total_minor", sa.Integer(), nullable=False),
        sa.Column("total_minor", sa.Integer(), nullable=False),
        sa.Column("vat_minor", sa.Integer(), nullable=False),
        sa.Column("rounding_minor", sa.Integer(), nullable=False),
        sa.Column("remaining_minor", sa.Integer(), nullable=False),
        sa.Column("dispatched_on", sa.Date(), nullable=True),
        sa.Column("due_date", sa.Date(), nullable=True),
        sa.Column("lost_at", Instant(), nullable=True),
        sa.Column("reopened_on", sa.Date(), nullable=True),
        sa.Column("billogram_id", sa.String(), nullable=True),
        sa.Column("invoice_no", sa.Integer(), nullable=True),
        sa.Column("ocr_number", sa.String(), nullable=True),
        sa.Column("invoice_url", sa.String(), nullable=True),
        sa.Column("fingerprint", sa.String(), nullable=True),
        sa.Column("missing_since", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account", "contract_id"], ["contracts.account", "contracts.contract_id"], name="bill_contract"
        ),
        sa.PrimaryKeyConstraint("account", "bill_id"),
    )
    op.create_index("bills_by_platform_id", "bills", ["account", "billogram_id"], unique=False)
    op.create_index("bills_of_contract", "bills", ["account", "contract_id", "period_no", "revision"], unique=False)
    op.create_index(
        "one_bill_per_period",
        "bills",
        ["account", "contract_id", "period_no"],
        unique=True,
        sqlite_where=sa.text("void = 0"),
        postgresql_where=sa.text("NOT void"),
    )
    op.create_index(
        "parked_bills",
        "bills",
        ["account", "contract_id"],
        unique=False,
        sqlite_where=sa.text("status = 'parked'"),
        postgresql_where=sa.text("status = 'parked'"),
    )
    op.create_table(
        "contract_terms",
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("contract_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("first_period", sa.Integer(), nullable=False),
        sa.Column("lines", sa.JSON(), nullable=False),
        sa.Column("delivery_method", sa.String(), nullable=True),
        sa.Column("edi_number", sa.String(), nullable=True),
        sa.Column("policy_override", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account", "contract_id"], ["contracts.account", "contracts.contract_id"], name="terms_contract"
        ),
        sa.PrimaryKeyConstraint("account", "contract_id", "version"),
    )
    op.create_table(
        "deliveries",
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("contract_id", sa.String(), nullable=False),
        sa.Column("queued_at", sa.Double(), nullable=False),
        sa.Column("next_attempt_at", sa.Double(), nullable=False),
        sa.Column("leased_until", sa.Double(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("dead", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["account", "seq"], ["events.account", "events.seq"], name="delivery_event"),
        sa.PrimaryKeyConstraint("account", "seq"),
    )
    op.create_index("deliveries_by_contract", "deliveries", ["account", "contract_id", "dead", "seq"], unique=False)
    op.create_table(
        "facts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("bill_id", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("event_uuid", sa.String(), nullable=True),
        sa.Column("fact", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["account", "bill_id"], ["bills.account", "bills.bill_id"], name="fact_bill"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account", "bill_id", "event_uuid", name="fact_once_by_uuid"),
    )
    op.create_index("facts_of_bill", "facts", ["account", "bill_id"], unique=False)
