"""DuckDB, told what the fields are, on two threads.

    python3 benches/run/with_duckdb.py <lake> <events>
"""

import sys

import duckdb

LAKE = """
COPY (
    SELECT DISTINCT ON (event_uuid, event_name, created_at) *,
        split_part(event_name, ':', 1) AS event_type, split_part(event_name, ':', 2) AS event_subtype,
        strftime(make_timestamp((created_at * 1e6)::BIGINT), '%Y-%m-%dT%H:%M:%S.%fZ') AS created_datetime,
        strftime(make_timestamp((created_at * 1e6)::BIGINT), '%Y') AS year,
        strftime(make_timestamp((created_at * 1e6)::BIGINT), '%m') AS month,
        strftime(make_timestamp((created_at * 1e6)::BIGINT), '%d') AS day
    FROM read_json(?, format = 'newline_delimited', columns = {
        event_uuid: 'VARCHAR', event_name: 'VARCHAR', created_at: 'DOUBLE', user: 'JSON', amount: 'DECIMAL(9,2)',
        currency: 'VARCHAR', items: 'JSON', user_agent: 'VARCHAR', page: 'VARCHAR'})
) TO '{lake}/events' (FORMAT json, PARTITION_BY (event_type, event_subtype, year, month, day), WRITE_PARTITION_COLUMNS)
"""

lake, events = sys.argv[1:]
with duckdb.connect(config={"threads": 2}) as database:
    database.execute(LAKE.replace("{lake}", lake), [events])
