"""What happens with an order: the ledger, the marketplaces, the limits and the Celery application."""
