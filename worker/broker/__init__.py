"""Redis as a doorbell: rings, the embedded server, and what keeps a worker listening."""
