"""The command line: parse, call one workflow, print."""

from solodark.cli.app import app, main

__all__ = ["app", "main"]
