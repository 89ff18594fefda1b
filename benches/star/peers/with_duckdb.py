"""DuckDB, told what the columns are."""

import duckdb
from work import run

FACT = """
COPY (
    SELECT sales_order_id,
        created_at::DATE AS created_date, created_at::TIME AS created_time,
        last_updated::DATE AS last_updated_date, last_updated::TIME AS last_updated_time,
        staff_id AS sales_staff_id, counterparty_id, units_sold, unit_price, currency_id, design_id,
        agreed_payment_date, agreed_delivery_date, agreed_delivery_location_id
    FROM read_json(?, format = 'newline_delimited', columns = {
        sales_order_id: 'INTEGER', created_at: 'TIMESTAMP', last_updated: 'TIMESTAMP', design_id: 'INTEGER',
        staff_id: 'INTEGER', counterparty_id: 'INTEGER', units_sold: 'INTEGER', unit_price: 'DECIMAL(10,2)',
        currency_id: 'INTEGER', agreed_delivery_date: 'DATE', agreed_payment_date: 'DATE',
        agreed_delivery_location_id: 'INTEGER'})
) TO '{into}' (FORMAT parquet, COMPRESSION snappy)
"""


def work(packet: str, into: str) -> None:
    with duckdb.connect(config={"threads": 1}) as database:
        database.execute(FACT.replace("{into}", into), [packet])


run(work)
