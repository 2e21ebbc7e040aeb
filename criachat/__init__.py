"""CriaChat: the system of record for conversations between a business and its customers."""

from __future__ import annotations

from importlib.metadata import version
from typing import Final

VERSION: Final = version("criachat")
