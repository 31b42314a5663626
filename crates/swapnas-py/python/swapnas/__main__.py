"""The command ``swapnas``, also as ``python -m swapnas``."""

import sys

from ._swapnas import command


def main() -> None:
    sys.exit(command(["swapnas", *sys.argv[1:]]))


if __name__ == "__main__":
    main()
