"""pyarrow's own JSON reader, told what the columns are."""

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import json, parquet
from work import run

WHOLE = [
    "sales_order_id",
    "design_id",
    "staff_id",
    "counterparty_id",
    "units_sold",
    "currency_id",
    "agreed_delivery_location_id",
]
MOMENTS = {"created": "created_at", "last_updated": "last_updated"}
DATES = ["agreed_payment_date", "agreed_delivery_date"]


def work(packet: str, into: str) -> None:
    columns = [(name, pa.int32()) for name in WHOLE] + [("unit_price", pa.float64())]
    columns += [(name, pa.timestamp("us")) for name in MOMENTS.values()] + [(name, pa.string()) for name in DATES]
    parsing = json.ParseOptions(explicit_schema=pa.schema(columns))
    orders = json.read_json(packet, parse_options=parsing)
    fact = {"sales_staff_id" if name == "staff_id" else name: orders[name] for name in WHOLE}
    for name, source in MOMENTS.items():
        fact[f"{name}_date"] = orders[source].cast(pa.date32())
        fact[f"{name}_time"] = orders[source].cast(pa.time64("us"))
    for name in DATES:
        fact[name] = orders[name].cast(pa.date32())
    fact["unit_price"] = pc.round(orders["unit_price"], 2).cast(pa.decimal128(10, 2), safe=False)
    parquet.write_table(pa.table(fact), into, compression="snappy")


run(work)
