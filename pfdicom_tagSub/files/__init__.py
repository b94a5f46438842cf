"""The file system: writing whole or not at all."""
