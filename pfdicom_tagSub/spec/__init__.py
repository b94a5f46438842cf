"""The spec language and what it compiles to."""
