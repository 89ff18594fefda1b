"""Loads sales orders by Nozzle and by what people would use instead, and writes benches/STAR.md.

    .cache/bench-venv/bin/python benches/star/compare.py <the star bench's program> [quick]
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import duckdb
from lambda_way import World, on_core

HERE = Path(__file__).parent
PACKAGE = HERE.parent.parent
CORE = max(os.sched_getaffinity(0))
NOZZLE, LAMBDA = "Nozzle", "Nozzle, the function's process"
PEERS = {
    "DuckDB": "with_duckdb",
    "Polars": "with_polars",
    "pyarrow": "with_pyarrow",
    "pandas, right types": "pandas_typed",
    "pandas, as people write it": "pandas_written",
}
SIZES = {11_175: 7, 1_000_000: 3}
QUICK = {11_175: 1}

# What every file must come to. Those that have text are cast as their readers would have to.
CHECK = """
SELECT count(*), sum(sales_order_id::BIGINT), sum(units_sold::BIGINT), sum(unit_price::DECIMAL(10,2)),
    sum(created_date::DATE - DATE '1970-01-01'), sum(last_updated_date::DATE - DATE '1970-01-01'),
    sum(date_part('epoch', created_time::TIME)::DECIMAL(18,6)),
    sum(date_part('epoch', last_updated_time::TIME)::DECIMAL(18,6)),
    sum(agreed_payment_date::DATE - DATE '1970-01-01'), sum(agreed_delivery_date::DATE - DATE '1970-01-01'),
    sum(sales_staff_id::BIGINT), sum(counterparty_id::BIGINT), sum(currency_id::BIGINT), sum(design_id::BIGINT),
    sum(agreed_delivery_location_id::BIGINT)
FROM read_parquet(?)
"""


def main() -> None:
    program, *words = (word for word in sys.argv[1:] if word != "--bench")
    sizes = QUICK if "quick" in words else SIZES
    function, zipped = build_function()
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        for rows, rounds in sizes.items():
            packet = Path(folder) / f"orders_{rows}.jsonl"
            subprocess.run([sys.executable, HERE / "orders.py", str(rows), packet], check=True)
            bench = Bench(Path(program), function, packet, Path(folder) / "fact.parquet")
            figures[rows] = bench.run(rounds) | {"bytes": packet.stat().st_size}
            packet.unlink()
    report = write(figures, zipped)
    if "quick" in words:
        print(report)
    else:
        (PACKAGE / "benches/STAR.md").write_text(report)


def build_function() -> tuple[Path, int]:
    """The deployed program for this machine, and how many bytes its zip has."""
    cargo = [os.environ.get("CARGO", "cargo"), "build", "--locked", "--quiet", "--profile=function"]
    features = ["--no-default-features", "--features=star-schema", "--bin=star-schema"]
    subprocess.run([*cargo, *features], cwd=PACKAGE, check=True)
    function = Path(os.environ.get("CARGO_TARGET_DIR", PACKAGE / "target")) / "function/star-schema"
    with tempfile.NamedTemporaryFile(suffix=".zip") as zipped:
        zip_function = [sys.executable, PACKAGE / "build/zip_function.py", function, zipped.name]
        subprocess.run(zip_function, check=True, stdout=subprocess.DEVNULL)
        return function, Path(zipped.name).stat().st_size


class Bench:
    """One packet, loaded by everybody in turn."""

    def __init__(self, program: Path, function: Path, packet: Path, into: Path) -> None:
        self.program, self.function, self.packet, self.into = program, function, packet, into

    def run(self, rounds: int) -> dict[str, dict[str, float]]:
        """Medians of the rounds; the files of the first are compared, before anything is measured."""
        expected = None
        for name in [NOZZLE, LAMBDA, *PEERS]:
            self.load(name)
            sums = duckdb.execute(CHECK, [str(self.into)]).fetchone()
            expected = expected or sums
            if sums != expected:
                sys.exit(f"{name} has {sums}, and Nozzle {expected}")
        taken: dict[str, list[dict[str, float]]] = {name: [] for name in [NOZZLE, LAMBDA, *PEERS]}
        for number in range(rounds):
            print(f"{self.packet.name}: round {number + 1} of {rounds}", file=sys.stderr)
            for name, samples in taken.items():
                samples.append(self.load(name))
        return {name: middle(samples) for name, samples in taken.items()}

    def load(self, name: str) -> dict[str, float]:
        self.into.unlink(missing_ok=True)
        if name == LAMBDA:
            world = World(self.packet)
            took = world.run(self.function, CORE)
            self.into.write_bytes(world.fact())
            return took | {"file": self.into.stat().st_size}
        if name == NOZZLE:
            command = [self.program, "load", "sales_order", self.packet, self.into]
        else:
            command = [sys.executable, HERE / "peers" / f"{PEERS[name]}.py", self.packet, self.into]
        return process(command) | {"file": self.into.stat().st_size}


def process(command: list[object]) -> dict[str, float]:
    """What a process on one core took as a whole, and what it says that its work took."""
    started = time.perf_counter()
    with on_core(CORE):
        child = subprocess.Popen(command, stdout=subprocess.PIPE)
    said = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - started
    child.returncode = status
    if status:
        sys.exit(f"{command} ended with {status}")
    work = json.loads(said)
    return {
        "processor": usage.ru_utime + usage.ru_stime,
        "wall": wall,
        "work": work["processor"],
        "work_wall": work["wall"],
        "peak": work["peak"],
    }


def middle(samples: list[dict[str, float]]) -> dict[str, float]:
    return {name: statistics.median(sample[name] for sample in samples) for name in samples[0]}


def write(figures: dict[int, dict], zipped: int) -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in ["duckdb", "polars", "pyarrow", "pandas"])
    parts = [
        "# What the star costs, beside what people would use\n\n"
        f"Written by `make bench` on {datetime.now(UTC):%Y-%m-%d}. {processor_name()}, one core each; "
        f"Python {sys.version.split()[0]}, {packages}.\n",
    ]
    parts += [table(rows, peers) for rows, peers in figures.items()]
    parts += [goals(figures, zipped), (HERE / "notes.md").read_text()]
    return "\n".join(parts)


def processor_name() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    name = next((line.split(": ")[1] for line in lines if line.startswith("model name")), "unknown")
    return f"{name}, {os.cpu_count()} cores"


def table(rows: int, peers: dict) -> str:
    lines = [
        f"## {rows:,} orders, {peers['bytes'] / 1e6:,.1f} MB\n",
        "| | processor, ms | as a multiple | wall, ms | work alone, processor, ms | as a multiple | peak, MB | Parquet, MB |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    ours = peers[NOZZLE]
    for name in [NOZZLE, LAMBDA, *PEERS]:
        took = peers[name]
        work = took.get("work")
        cells = [
            f"{took['processor'] * 1e3:,.1f}",
            f"{took['processor'] / ours['processor']:.1f}",
            f"{took['wall'] * 1e3:,.1f}",
            f"{work * 1e3:,.1f}" if work else "",
            f"{work / ours['work']:.1f}" if work else "",
            f"{took['peak'] / 1e6:,.1f}",
            f"{took['file'] / 1e6:.2f}",
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def goals(figures: dict[int, dict], zipped: int) -> str:
    few, many = figures[11_175], figures.get(1_000_000)
    ratio = lambda peers, name: peers[name]["processor"] / peers[NOZZLE]["processor"]
    pandas, written = "pandas, right types", "pandas, as people write it"
    reached = [
        ("ms of processor time for 11,175 orders, work alone", "at most", 15, few[NOZZLE]["work"] * 1e3),
        ("times less than pandas with right types, 11,175 orders", "at least", 50, ratio(few, pandas)),
        ("MB of the zip, for x86-64", "at most", 5.3, zipped / 1e6),
    ]
    if many:
        reached += [
            ("s of processor time for 1,000,000 orders", "at most", 0.75, many[NOZZLE]["processor"]),
            ("times less than pandas with right types", "at least", 14, ratio(many, pandas)),
            ("times less than pandas as people write it", "at least", 14, ratio(many, written)),
            ("times less than DuckDB", "at least", 1.9, ratio(many, "DuckDB")),
            ("MB at the peak, work alone", "at most", 24, many[NOZZLE]["peak"] / 1e6),
            ("MB at the peak, the function's process", "at most", 64, many[LAMBDA]["peak"] / 1e6),
        ]
    lines = ["## What Nozzle is to reach\n", "| | goal | measured | |", "|---|---:|---:|---|"]
    for what, bound, goal, measured in reached:
        holds = measured <= goal if bound == "at most" else measured >= goal
        lines.append(f"| {what} | {bound} {goal} | {measured:.2f} | {'reached' if holds else '**missed**'} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
