"""What a terminal shows: consoles, tables, pictures."""
