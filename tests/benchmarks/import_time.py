"""What `import tinygrad_edu` adds to `import numpy`: interleaved runs in fresh interpreters, and their medians."""

import argparse
import os
import subprocess
import sys
from pathlib import Path
from statistics import median

CLOCK = "from time import perf_counter as now; start = now(); import {}; print(now() - start)"


def import_time(module):
    """Milliseconds that a fresh interpreter takes to import a module."""
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", CLOCK.format(module)]
    # an installed package has its bytecode beside it; this one should, too
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=True)
    return 1000 * float(done.stdout)


def main():
    """Print both medians and the difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=25, help="how often each is imported (default: 25)")
    runs = parser.parse_args().runs
    import_time("tinygrad_edu")  # the first one compiles
    pairs = [(import_time("numpy"), import_time("tinygrad_edu")) for _ in range(runs)]
    numpy, ours = (median(times) for times in zip(*pairs, strict=True))
    print(f"import numpy        {numpy:6.1f} ms")
    print(f"import tinygrad_edu {ours:6.1f} ms")
    print(f"difference          {median(b - a for a, b in pairs):6.1f} ms (median of {runs} pairs)")


if __name__ == "__main__":
    main()
