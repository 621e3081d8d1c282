"""What is printed on a terminal. Standard library only, and any Python 3: `build.py` begins with it."""

import io
import sys


def print_any_name() -> None:
    """Lets letters that the terminal lacks be printed as their numbers, instead of ending the program; and lines be
    printed at once, as a signal ends the program without flushing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace", line_buffering=True)
