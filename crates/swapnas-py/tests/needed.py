"""Packages that some tests need."""

import importlib
import os


def package(name):
    """The package; None if it is not installed, which is an error where the variable CI is true."""
    try:
        return importlib.import_module(name)
    except ImportError:
        if os.environ.get("CI") == "true":
            raise
        return None
