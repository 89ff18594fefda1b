"""Runs a peer's work on its packet, and says what that took, as JSON."""

import json
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path


def run(work: Callable[[str, str], None]) -> None:
    processor, wall = time.process_time(), time.perf_counter()
    work(*sys.argv[1:])
    took = {"processor": time.process_time() - processor, "wall": time.perf_counter() - wall}
    status = Path("/proc/self/status").read_text()
    peak = int(re.search(r"VmHWM:\s+(\d+)", status)[1]) * 1024
    print(json.dumps(took | {"peak": peak}))
