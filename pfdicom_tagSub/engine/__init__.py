"""One file: rules applied to its elements."""
