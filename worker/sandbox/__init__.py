"""The marketplace in the box: one HTTP server, one fake for each marketplace, faults on demand."""
