"""Template: a shop whose create is idempotent by a header; replace this sentence by one about yours."""
