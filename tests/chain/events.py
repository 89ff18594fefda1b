"""What is put into the chain, and what the design's rules say must come out of it."""

import random
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "fixtures"), str(ROOT / "tests/oracle")]

import make_events  # noqa: E402
import rules  # noqa: E402


def sample() -> list[bytes]:
    return lines((ROOT / "fixtures/events.jsonl").read_bytes())


def others(seed: int) -> list[bytes]:
    """Like the sample, but of one day, so that their partitions are few, and never put before."""
    random.seed(seed)
    make_events.DAYS = 1
    make_events.ODD_UUIDS = []
    return list(make_events.with_duplicates(make_events.stream()))


def lines(text: bytes) -> list[bytes]:
    return text.removesuffix(b"\n").split(b"\n")


@dataclass
class Expected:
    """Copies of an event may differ, and any of them may be first where many are put at once."""

    delivered: dict[bytes, rules.Delivered] = field(default_factory=dict)
    identities: dict[bytes, str] = field(default_factory=dict)
    """Each line that may be in the lake, and whose it is."""
    accepted: set[bytes] = field(default_factory=set)
    refused: Counter[bytes] = field(default_factory=Counter)
    duplicates: int = 0


def expect(records: list[bytes], settings: dict[str, str]) -> Expected:
    first, _, last = settings["EVENT_YEARS"].partition("-")
    types = settings.get("EVENT_TYPES")
    read = rules.Settings(int(first), int(last), rules.parse_types(types) if types else None)
    by_uuid = settings["EVENT_IDENTITY"] == "uuid"
    expected, seen = Expected(), set()
    for record in records:
        verdict = rules.judge(record, read)
        if isinstance(verdict, rules.Refused):
            expected.refused[record] += 1
        else:
            identity = verdict.identity_uuid if by_uuid else verdict.identity
            expected.accepted.add(record)
            expected.duplicates += identity in seen
            seen.add(identity)
            expected.delivered[verdict.data] = verdict
            expected.identities[verdict.data] = identity
    return expected
