"""The command: `python -m tinygrad_edu.testing write MODULE` prints tests for the gradients of a module.

Source: the conventions of argparse, and exit status 2 for what the command line asks wrongly.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from pathlib import Path

from tinygrad_edu.testing.modules import load
from tinygrad_edu.testing.trials import Unwritable
from tinygrad_edu.testing.writing import written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

PROGRAM = "python -m tinygrad_edu.testing"
WRITE = """\
Print a file of tests for a module: check_op for its operations, check_module for its
layers, gradient_test for its public functions.

The module is imported, and its public functions are called to find out for which shapes
and numbers they work. Only functions are called whose parameters are numbers or arrays,
by their annotations; a parameter without annotation counts as one, unless it is called
`path`, `name` or the like. So do not let it loose on a module in which
`def remove(n)` deletes things. Layers are made with small sizes and called once.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 if tests were written, 1 if there was nothing to test, 2 if it was asked wrongly."""
    options = parser().parse_args(arguments)
    try:
        with contextlib.redirect_stdout(sys.stderr):  # what the module itself prints is no test
            text, count = written(load(options.module))
    except ImportError as error:
        return stop(str(error))
    except Unwritable as reason:
        return stop(str(reason), 1)
    if options.output is None:
        print(text, end="")
    else:
        try:
            with options.output.open("x", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            return stop(f"cannot write {options.output}: {error.strerror}; choose another file, -o FILE")
    print(f"{count} tests" if count > 1 else "1 test", file=sys.stderr)
    return 0


def stop(message: str, status: int = 2) -> int:
    """Say what is wrong."""
    print(f"{PROGRAM}: {message}", file=sys.stderr)
    return status


def parser() -> argparse.ArgumentParser:
    """The command line."""
    command = argparse.ArgumentParser(prog=PROGRAM, description="Tools for testing gradients.")
    tools = command.add_subparsers(required=True, metavar="write")
    write = tools.add_parser(
        "write", help="print tests for a module", description=WRITE, formatter_class=argparse.RawTextHelpFormatter
    )
    write.add_argument("module", metavar="MODULE", help="as in import (package.module), or path/to/file.py")
    write.add_argument("-o", "--output", type=Path, metavar="FILE", help="write to a new file instead of printing")
    return command


if __name__ == "__main__":
    sys.exit(main())
