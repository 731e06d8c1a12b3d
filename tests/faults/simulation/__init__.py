"""One process, a virtual clock: ledger and decisions as they are, workers, broker and marketplaces played."""
