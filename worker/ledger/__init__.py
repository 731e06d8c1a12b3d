"""The ledger: the one truth about every order, in SQLite or PostgreSQL."""
