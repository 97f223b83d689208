"""``python -m growthmm``."""

from growthmm.cli import run

run()
