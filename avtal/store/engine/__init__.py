"""The database engine: transactions, group commit, migrations, encryption of secrets, and the clock."""
