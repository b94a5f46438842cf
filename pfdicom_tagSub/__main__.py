"""``python -m pfdicom_tagSub``."""

from .cli.command import run

run()
