"""CriaChat: the system of record for conversations between a business and its customers."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

try:
    VERSION = version("criachat")
except PackageNotFoundError:  # run from a checkout that was never installed
    VERSION = "0"
