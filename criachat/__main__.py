"""`python -m criachat`: the same as the `criachat` command."""

from __future__ import annotations

from criachat.cli import main

if __name__ == "__main__":
    main()
