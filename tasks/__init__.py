"""What happens to an order: submitted, placed, confirmed, reconciled, swept, administered."""
