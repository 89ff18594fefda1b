"""Events into a lake by `nozzle run` and by DuckDB; writes benches/RUN.md.

    .cache/bench-venv/bin/python benches/run/beside_duckdb.py <nozzle> [quick]
"""

import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import duckdb

HERE = Path(__file__).parent
PACKAGE = HERE.parent.parent
sys.path.append(str(PACKAGE / "benches/star"))

from compare import middle, processor_name  # noqa: E402

CORES = set(sorted(os.sched_getaffinity(0))[:2])
EVENTS, ROUNDS = 700_000, 5
TIMES_WANTED = 2.5

# What every lake must come to: which events each partition has. No reader is asked for the layout.
CHECK = """
SELECT event_type, event_subtype, created_datetime[:10], count(*), count(DISTINCT event_uuid), sum(hash(event_uuid)::HUGEINT)
FROM read_json(?, format = 'newline_delimited', hive_partitioning = false, columns = {
    event_uuid: 'VARCHAR', event_type: 'VARCHAR', event_subtype: 'VARCHAR', created_datetime: 'VARCHAR'})
GROUP BY ALL ORDER BY ALL
"""


def main() -> None:
    load = os.getloadavg()[0]
    nozzle, *words = (word for word in sys.argv[1:] if word != "--bench")
    events, rounds = (20_000, 1) if "quick" in words else (EVENTS, ROUNDS)
    peers = {
        "`nozzle run`": [nozzle, "run", "--summary=json", "--lake"],
        "DuckDB": [sys.executable, HERE / "with_duckdb.py"],
    }
    with tempfile.TemporaryDirectory(dir=PACKAGE / "target") as folder:
        bench = Bench(Path(folder), events)
        bench.compare(peers)
        report = write(bench, load, {name: middle(samples) for name, samples in bench.run(peers, rounds).items()})
    if "quick" in words:
        print(report)
    else:
        (PACKAGE / "benches/RUN.md").write_text(report)


class Bench:
    """One input, brought into a new lake by everybody in turn."""

    def __init__(self, folder: Path, events: int) -> None:
        self.folder, self.events = folder, events
        self.input = folder / "events.jsonl"
        self.lakes = 0
        subprocess.run([sys.executable, HERE / "events.py", str(events), self.input], check=True)

    def compare(self, peers: dict[str, list]) -> None:
        """Every lake must have the same events in the same partitions, before anything is measured."""
        expected = None
        for name, command in peers.items():
            lake, _ = self.fill(command)
            partitions = duckdb.execute(CHECK, [f"{lake}/events/**/*"]).fetchall()
            expected = expected or partitions
            if partitions != expected:
                sys.exit(f"{name} has other events in its lake than Nozzle")
            self.partitions = len(partitions)

    def run(self, peers: dict[str, list], rounds: int) -> dict[str, list[dict[str, float]]]:
        taken = {name: [] for name in peers}
        for number in range(rounds):
            print(f"round {number + 1} of {rounds}", file=sys.stderr)
            for name, command in peers.items():
                taken[name].append(self.fill(command)[1])
        return taken

    def fill(self, command: list[object]) -> tuple[Path, dict[str, float]]:
        """Lakes stay until the end: for some seconds after files are deleted, ext4 is slow to make new ones."""
        self.lakes += 1
        lake = self.folder / str(self.lakes)
        lake.mkdir()
        words = [*command, lake, self.input]
        os.sync()
        started = time.perf_counter()
        child = subprocess.Popen(words, stdout=subprocess.DEVNULL, preexec_fn=lambda: os.sched_setaffinity(0, CORES))
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - started
        child.returncode = status
        if status:
            sys.exit(f"{words} ended with {status}")
        return lake, {
            "wall": wall,
            "processor": usage.ru_utime + usage.ru_stime,
            "peak": usage.ru_maxrss * 1024,
        }


def write(bench: Bench, load: float, peers: dict[str, dict[str, float]]) -> str:
    ours, theirs = peers.values()
    times = theirs["wall"] / ours["wall"]
    rows = [
        f"| {name} | {took['wall']:.2f} | {took['wall'] / ours['wall']:.1f} | {took['processor']:.2f} | {took['peak'] / 1e6:,.0f} |"
        for name, took in peers.items()
    ]
    return "\n".join([
        "# What a lake costs on one machine, beside DuckDB\n",
        f"Written by `make bench` on {datetime.now(UTC):%Y-%m-%d}. {processor_name()}, which others kept busy "
        f"with a load of {load:.1f} when it began; DuckDB {version('duckdb')}.\n",
        f"{bench.events:,} events, {bench.input.stat().st_size / bench.events:.0f} bytes each, over {bench.partitions} partitions:\n",
        "| | s | as a multiple | processor, s | peak, MB |",
        "|---|---:|---:|---:|---:|",
        *rows,
        f"\nWanted: at least {TIMES_WANTED} times faster; measured {times:.2f}, {'reached' if times >= TIMES_WANTED else '**missed**'}.\n",
        (HERE / "notes.md").read_text(),
    ])


if __name__ == "__main__":
    main()
