"""Writes sales orders as JSON Lines, of totesys' shape and 341 bytes a row, the same each time.

    python3 benches/star/orders.py <rows> <file>
"""

import json
import sys
from datetime import datetime, timedelta

START = datetime(2022, 11, 3, 14, 20, 52, 186_000)


def main() -> None:
    rows, path = int(sys.argv[1]), sys.argv[2]
    with open(path, "w") as file:
        file.writelines(json.dumps(order(number)) + "\n" for number in range(rows))


def order(number: int) -> dict[str, object]:
    """As if drawn: each column has a stride of its own, prime to its range."""
    created = START + timedelta(minutes=number, milliseconds=number * 7919 % 1000)
    paid = created + timedelta(days=number * 3 % 5 + 1)
    delivered = created + timedelta(days=number * 2 % 5 + 1)
    return {
        "sales_order_id": number + 2,
        "created_at": created.isoformat(),  # one in a thousand has no fraction
        "last_updated": created.isoformat(),
        "design_id": number * 97 % 300 + 1,
        "staff_id": number * 7 % 20 + 1,
        "counterparty_id": number * 11 % 20 + 1,
        "units_sold": number * 7919 % 99_001 + 1_000,
        "unit_price": (number * 37 % 200 + 200) / 100,
        "currency_id": number % 3 + 1,
        "agreed_delivery_date": delivered.date().isoformat(),
        "agreed_payment_date": paid.date().isoformat(),
        "agreed_delivery_location_id": number * 13 % 30 + 1,
    }


if __name__ == "__main__":
    main()
