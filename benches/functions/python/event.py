"""What both Python functions do to one event: check it, add its fields, make its partition keys."""

import json
import re
from datetime import datetime, timezone
from urllib.parse import quote

NUMBER = re.compile(r"-?\d+(\.\d+)?")
CONTROL_CHARACTER = re.compile(r"[\x00-\x1f]")
UNITS = [(1e11, 1), (1e14, 1e3), (1e17, 1e6), (float("inf"), 1e9)]


def identity(event):
    return f"{event['event_uuid']}#{event['event_name']}#{event['created_at']}"


def enrich(event):
    """Adds to a good event and returns its partition keys; raises what a bad one deserves."""
    check_text(event["event_uuid"])
    check_text(event["event_name"])
    event_type, _, rest = event["event_name"].partition(":")
    event_type, event_subtype = event_type.strip(), rest.partition(":")[0].strip() or "unknown"
    if not event_type:
        raise ValueError("no event type")
    created = instant(event["created_at"])
    event["event_type"] = event_type
    event["event_subtype"] = event_subtype
    event["created_datetime"] = created.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return {
        "event_type": safe(event_type),
        "event_subtype": safe(event_subtype),
        "year": f"{created.year:04}",
        "month": f"{created.month:02}",
        "day": f"{created.day:02}",
    }


def check_text(value):
    if not value.strip() or len(value.encode()) > 256 or CONTROL_CHARACTER.search(value):
        raise ValueError("not a text of 1 to 256 bytes")


def instant(value):
    if isinstance(value, str) and not NUMBER.fullmatch(value):
        created = datetime.fromisoformat(value)
        return created.replace(tzinfo=created.tzinfo or timezone.utc).astimezone(timezone.utc)
    number = float(value)
    if number < 0:
        raise ValueError("before 1970")
    unit = next(unit for below, unit in UNITS if number < below)
    return datetime.fromtimestamp(number / unit, timezone.utc)


def safe(value):
    """For a path: what is not plain is percent-encoded, and so is a value of only dots."""
    encoded = quote(value, safe="")
    if not encoded.strip("."):
        encoded = encoded.replace(".", "%2E")
    if len(encoded) > 192:
        raise ValueError("too long for a path")
    return encoded


def write(event):
    return json.dumps(event, separators=(",", ":")) + "\n"
