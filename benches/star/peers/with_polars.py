"""Polars, lazily; its times are of nanoseconds."""

import polars as pl
from work import run

WHOLE = {
    "sales_order_id": "sales_order_id",
    "sales_staff_id": "staff_id",
    "counterparty_id": "counterparty_id",
    "units_sold": "units_sold",
    "currency_id": "currency_id",
    "design_id": "design_id",
    "agreed_delivery_location_id": "agreed_delivery_location_id",
}
TEXT = ["created_at", "last_updated", "agreed_payment_date", "agreed_delivery_date"]


def work(packet: str, into: str) -> None:
    schema = {name: pl.Int32 for name in WHOLE.values()} | {name: pl.String for name in TEXT}
    orders = pl.scan_ndjson(packet, schema=schema | {"unit_price": pl.Float64})
    moment = lambda name: pl.col(name).str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us")
    fact = orders.with_columns(created=moment("created_at"), updated=moment("last_updated")).select(
        *(pl.col(source).alias(name) for name, source in WHOLE.items()),
        created_date=pl.col("created").dt.date(),
        created_time=pl.col("created").dt.time(),
        last_updated_date=pl.col("updated").dt.date(),
        last_updated_time=pl.col("updated").dt.time(),
        unit_price=pl.col("unit_price").cast(pl.Decimal(10, 2)),
        agreed_payment_date=pl.col("agreed_payment_date").str.to_date("%Y-%m-%d"),
        agreed_delivery_date=pl.col("agreed_delivery_date").str.to_date("%Y-%m-%d"),
    )
    fact.sink_parquet(into, compression="snappy")


run(work)
