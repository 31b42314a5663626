"""The command ``swapnas``, also as ``python -m swapnas``."""

import signal
import sys

from ._swapnas import command


def main() -> None:
    # Ctrl-C is the command's own affair: it keeps what is finished by then.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(command(["swapnas", *sys.argv[1:]]))


if __name__ == "__main__":
    main()
