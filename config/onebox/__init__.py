"""The one-box runner: PostgreSQL, Valkey, web, worker and beat on one machine, under one command."""
