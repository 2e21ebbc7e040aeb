"""Where the `criachat` command begins, and `python -m criachat`."""

from __future__ import annotations

import gc

# Nothing that is imported is garbage: it is not looked through while it piles up, which takes a tenth of the time to
# start, nor afterwards.
gc.disable()

from criachat import cli  # noqa: E402


def main() -> None:
    """Run the command that was given."""
    gc.freeze()
    gc.enable()
    cli.main()


if __name__ == "__main__":
    main()
