"""The command line."""

import os

# pydicom imports numpy where it is installed, and numpy's OpenBLAS starts a thread for each processor.
# The command has no use for them, and where processes are limited OpenBLAS ends it with SIGINT.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
