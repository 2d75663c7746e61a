"""``python -m solodark`` is the same as ``solodark``."""

from solodark.cli import main

main()
