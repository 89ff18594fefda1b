"""Writes events as JSON Lines, 420 bytes each, over 240 partitions, one in twenty twice: the same each time.

    python3 benches/run/events.py <events> <file>
"""

import sys
from datetime import UTC, datetime

START = int(datetime(2026, 3, 1, tzinfo=UTC).timestamp())
DAYS = 10
KINDS = [f"{thing}:{done}" for thing in "account order payment refund".split() for done in "opened changed moved held closed lost".split()]
COPY_EVERY = 20


def main() -> None:
    events, path = int(sys.argv[1]), sys.argv[2]
    with open(path, "w") as file:
        file.writelines(event(number) for number in range(events))


def event(place: int) -> str:
    """As if drawn: each field has a stride of its own, prime to its range. A copy comes some thousand events later."""
    number = place - 5_000 if place % COPY_EVERY == 0 and place >= 5_000 else place
    seconds = START + number * 7919 % (DAYS * 86_400)
    return (
        f'{{"event_uuid":"{number:08x}-5717-4562-b3fc-2c963f66afa6","event_name":"{KINDS[number * 7 % len(KINDS)]}",'
        f'"created_at":{seconds}.{number * 97 % 1_000_000:06},"user":{{"id":{number % 9973 + 10_000},"email":'
        f'"user{number % 9973 + 10_000}@example.com","country":"DE","tags":["a","b"]}},"amount":{number % 900 + 100}.50,'
        '"currency":"EUR","items":[{"sku":"ABC-123","quantity":2,"price":17.25}],"user_agent":'
        '"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126.0.0.0","page":"https://shop.example.com/checkout/done?x=1"}\n'
    )


if __name__ == "__main__":
    main()
