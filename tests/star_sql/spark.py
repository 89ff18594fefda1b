"""Does Spark make of a star what DuckDB makes of it? By hand, with PyPI's pyspark beside duckdb: its start alone
takes longer than a test may.

spark.py SPARK_SQL DUCKDB_SQL: two scripts of `nozzle star sql` over the same files or the same packets.
"""

import datetime
import sys

import duckdb
from pyspark.sql import SparkSession


def spelled(value):
    return value.strftime("%H:%M:%S.%f") if isinstance(value, datetime.time) else str(value)


def rows(fetched):
    return sorted([spelled(value) for value in row] for row in fetched)


spark_script, duckdb_script = sys.argv[1:]
settings = {"spark.ui.enabled": "false", "spark.sql.shuffle.partitions": "2"}
spark = SparkSession.builder.master("local[2]").config(map=settings).getOrCreate()
spark.sparkContext.setLogLevel("OFF")
for statement in open(spark_script).read().split(";\n"):
    if statement.strip():
        spark.sql(statement)
database = duckdb.connect()
database.execute(open(duckdb_script).read())
views = "SELECT view_name FROM duckdb_views() WHERE regexp_matches(view_name, '^(dim|fact)_|^orphans$') AND view_name NOT LIKE '%_files'"
for name, in database.execute(views).fetchall():
    of_spark, of_duckdb = rows(spark.table(name).collect()), rows(database.execute(f"FROM {name}").fetchall())
    differing = [pair for pair in zip(of_spark, of_duckdb) if pair[0] != pair[1]]
    same = of_spark == of_duckdb
    print(name, len(of_spark), "the same" if same else f"other than {len(of_duckdb)}: {differing[:1]}", flush=True)
