"""Run the laws on generated fields, or let atheris look for what breaks them."""

import argparse
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from relogin.wire.scan import scan_challenges
from tests.fuzz.generate import fields, seeds
from tests.fuzz.laws import check

BATCH = 5_000


def run_batch(seed: int, count: int) -> Counter[str]:
    seen: Counter[str] = Counter()
    for text in fields(seed, count):
        try:
            check(text)
        except BaseException:
            print(f"broken by {text!a}", file=sys.stderr)
            raise
        seen["well-formed" if scan_challenges(text) is not None else "malformed"] += 1
    return seen


def run_generated(count: int, seed: int, processes: int) -> None:
    begun = time.monotonic()
    batches = [min(BATCH, count - start) for start in range(0, count, BATCH)]
    with ProcessPoolExecutor(processes) as pool:
        seen = sum(pool.map(run_batch, range(seed, seed + len(batches)), batches), Counter[str]())
    minutes = (time.monotonic() - begun) / 60
    print(f"{count} fields from seed {seed} in {minutes:.1f} min: {dict(seen)}; every law held")


def run_coverage_guided(seconds: int) -> int:
    with tempfile.TemporaryDirectory() as corpus:
        for number, field in enumerate(seeds()):
            Path(corpus, f"{number:04}").write_bytes(field.encode("utf-8", "surrogatepass"))
        target = [sys.executable, "-m", "tests.fuzz.target", corpus]
        limits = [f"-max_total_time={seconds}", "-max_len=512", "-print_final_stats=1"]
        return subprocess.run([*target, *limits], check=False).returncode


def main() -> int:
    asked = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    asked.add_argument("--count", type=int, default=20_000, help="how many generated fields")
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--processes", type=int, default=2)
    asked.add_argument("--coverage-guided", type=int, metavar="SECONDS", help="atheris instead")
    options = asked.parse_args()
    if options.coverage_guided:
        return run_coverage_guided(options.coverage_guided)
    run_generated(options.count, options.seed, options.processes)
    return 0


if __name__ == "__main__":
    sys.exit(main())
