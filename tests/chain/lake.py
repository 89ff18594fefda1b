"""What is in the lake, and what is wrong with it."""

import base64
import json
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from chain import Chain
from events import Expected

Objects = dict[str, bytes]


def everything(chain: Chain) -> Objects:
    return read(chain, chain.keys(""))


def delivered_since(
    chain: Chain, expected: Expected, start: datetime, seconds_max: float
) -> Objects:
    """Waits until all is there, or time is up; looks only where something is expected."""
    deadline = time.monotonic() + seconds_max
    folders = {chain.folder(verdict.keys) for verdict in expected.delivered.values()}
    objects: Objects = {}
    while True:
        for folder in [*folders, chain.error_folder]:
            objects |= read(chain, chain.keys(folder, since=start) - objects.keys())
        if time.monotonic() > deadline or not problems(chain, objects, expected):
            return objects
        time.sleep(15)


def read(chain: Chain, keys: set[str]) -> Objects:
    with ThreadPoolExecutor(8) as pool:
        return dict(zip(keys, pool.map(chain.read, keys)))


def problems(chain: Chain, objects: Objects, expected: Expected) -> list[str]:
    """Of objects as Firehose writes them; empty if each event is there once, in its place."""
    errors = {key: body for key, body in objects.items() if key.startswith(chain.error_folder)}
    delivered = {key: body for key, body in objects.items() if key not in errors}
    return [
        *delivery_problems(chain, delivered, expected),
        *error_problems(chain, errors, expected),
    ]


def delivery_problems(chain: Chain, objects: Objects, expected: Expected) -> Iterator[str]:
    seen: Counter[str] = Counter()
    for key, body in objects.items():
        if not body.endswith(b"\n"):
            yield f"{key} does not end with a newline"
        for line in lines(body):
            verdict = expected.delivered.get(line)
            if verdict is None:
                # In an account there may be others who put events.
                if chain.place.emulated:
                    yield f"{key} has a line that nothing should become: {line!r}"
                continue
            seen[expected.identities[line]] += 1
            folder = chain.folder(verdict.keys)
            if not chain.holds(folder, key):
                yield f"{key} has an event that belongs into {folder}"
    missing = set(expected.identities.values()) - seen.keys()
    if missing:
        yield f"{len(missing)} events are missing, such as {min(missing)}"
    doubled = [identity for identity, count in seen.items() if count > 1]
    if doubled:
        yield f"{len(doubled)} events are there more than once, such as {min(doubled)}"


def lines(body: bytes) -> list[bytes]:
    """A line ends at a newline only; an event may hold other line breaks in its text."""
    return [line + b"\n" for line in body.removesuffix(b"\n").split(b"\n")]


def error_problems(chain: Chain, objects: Objects, expected: Expected) -> Iterator[str]:
    kept: Counter[bytes] = Counter()
    for key, body in objects.items():
        for line in lines(body):
            error = json.loads(line)
            record = base64.b64decode(error["rawData"])
            kept[record] += 1
            ours = record in expected.accepted
            if ours or (chain.place.emulated and record not in expected.refused):
                error.pop("rawData")
                yield f"{key} has a record that was not refused: {error}"
    # The emulator keeps nothing of what the function refuses.
    if not chain.place.emulated and (lost := expected.refused - kept):
        yield f"{lost.total()} refused records are not under {chain.error_folder}"
