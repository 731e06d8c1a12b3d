"""The steps of an order's life: each is what one Celery task does, its parts handed in by constructor."""
