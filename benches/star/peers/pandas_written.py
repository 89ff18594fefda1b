"""The pandas code that people write: moments split at their `T`, dates and times left as text."""

import pandas as pd
from work import run


def work(packet: str, into: str) -> None:
    fact = pd.read_json(packet, lines=True, dtype=False)
    fact[["created_date", "created_time"]] = fact["created_at"].str.split("T", expand=True)
    fact[["last_updated_date", "last_updated_time"]] = fact["last_updated"].str.split("T", expand=True)
    fact = fact.rename(columns={"staff_id": "sales_staff_id"}).drop(columns=["created_at", "last_updated"])
    fact.to_parquet(into, index=False)


run(work)
