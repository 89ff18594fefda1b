"""Is what two scripts of DuckDB make of a star the same, row for row, and what the files hold?

compare.py DESCRIPTION FILES FILES_SQL PACKETS_SQL: prints how many rows each view has, as JSON.
"""

import json
import sys
import tomllib

import duckdb


def run(script):
    database = duckdb.connect()
    database.execute(open(script).read())
    return database


def fetched(database, query, *values):
    return database.execute(query, *values).fetchall()


def rows(database, query):
    return sorted(map(repr, fetched(database, query)))


def expected(database, folder, name, key):
    """Read off the files without a script of ours: a fact's rows, and the newest of each key of a dimension."""
    files = f"read_parquet('{folder}/{name}/*.parquet', filename = true)"
    if name.startswith("fact_") or key == "date_id":
        return f"SELECT * EXCLUDE (filename) FROM {files}"
    newest = f"SELECT max(filename) FROM {files} AS newer WHERE newer.{key} = versions.{key}"
    return f"SELECT * EXCLUDE (filename) FROM {files} AS versions WHERE filename = ({newest})"


def without_number(name):
    return f"SELECT * EXCLUDE (record_id) FROM {name}" if name.startswith("fact_") else f"FROM {name}"


description, folder, files_script, packets_script = sys.argv[1:]
tables = [name for name, value in tomllib.load(open(description, "rb")).items() if isinstance(value, dict)]
files, packets = run(files_script), run(packets_script)
counts = {}
for name in tables:
    key = [column for column, *_ in fetched(files, f"DESCRIBE {name}")][name.startswith("fact_")]
    wanted = rows(files, expected(files, folder, name, key))
    for origin, database in (("files", files), ("packets", packets)):
        got = rows(database, without_number(name))
        assert got == wanted, f"{name} of {origin}: {set(got) ^ set(wanted)}"
    counts[name] = len(wanted)
for name in [f"{name}_current" for name in tables if name.startswith("fact_")] + ["orphans"]:
    of_files, of_packets = rows(files, f"FROM {name}"), rows(packets, f"FROM {name}")
    assert of_files == of_packets, f"{name}: {set(of_files) ^ set(of_packets)}"
    counts[name] = len(of_files)
for name in (name for name in tables if name.startswith("fact_")):
    numbered = fetched(packets, f"SELECT record_id FROM {name} ORDER BY 1")
    assert [number for number, in numbered] == list(range(1, counts[name] + 1)), name
undocumented = "SELECT table_name, column_name FROM duckdb_columns() WHERE comment IS NULL AND list_contains(?, table_name)"
assert not fetched(files, undocumented, [tables])
print(json.dumps(counts))
