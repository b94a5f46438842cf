"""A whole run: walk, workers, ledger."""
