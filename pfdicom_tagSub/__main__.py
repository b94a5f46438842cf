"""``python -m pfdicom_tagSub``."""

from .cli.start import run

run()
