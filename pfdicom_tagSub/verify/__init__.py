"""One output held against its input by another reader."""
