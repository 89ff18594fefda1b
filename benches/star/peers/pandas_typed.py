"""pandas, with the types that the star asks for."""

from decimal import Decimal

import pandas as pd
import pyarrow as pa
from work import run

IDS = ["sales_order_id", "sales_staff_id", "counterparty_id", "units_sold", "currency_id", "design_id"]
SCHEMA = pa.schema(
    [
        ("sales_order_id", pa.int32()),
        ("created_date", pa.date32()),
        ("created_time", pa.time64("us")),
        ("last_updated_date", pa.date32()),
        ("last_updated_time", pa.time64("us")),
        ("sales_staff_id", pa.int32()),
        ("counterparty_id", pa.int32()),
        ("units_sold", pa.int32()),
        ("unit_price", pa.decimal128(10, 2)),
        ("currency_id", pa.int32()),
        ("design_id", pa.int32()),
        ("agreed_payment_date", pa.date32()),
        ("agreed_delivery_date", pa.date32()),
        ("agreed_delivery_location_id", pa.int32()),
    ]
)


def work(packet: str, into: str) -> None:
    orders = pd.read_json(packet, lines=True, dtype=False, precise_float=True)
    fact = orders.rename(columns={"staff_id": "sales_staff_id"})
    for name, source in [("created", "created_at"), ("last_updated", "last_updated")]:
        moment = pd.to_datetime(orders[source], format="ISO8601")
        fact[f"{name}_date"], fact[f"{name}_time"] = moment.dt.date, moment.dt.time
    for name in ["agreed_payment_date", "agreed_delivery_date"]:
        fact[name] = pd.to_datetime(orders[name], format="%Y-%m-%d").dt.date
    fact["unit_price"] = orders["unit_price"].map(lambda price: Decimal(str(price)))
    fact[SCHEMA.names].to_parquet(into, schema=SCHEMA, index=False)


run(work)
