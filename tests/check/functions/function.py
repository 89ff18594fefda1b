"""A transform in Python: sound, or with one fault, named on the command line."""

import base64
import hashlib
import json
import sys
import threading
from datetime import datetime

import runtime

FAULT = sys.argv[1] if len(sys.argv) > 1 else "none"
LIMIT = 6_291_556

seen = set()
everything = []


def handler(batch):
    if FAULT == "dies-on-empty-batch":
        batch["records"][0]
    if FAULT == "hangs-on-empty-batch" and not batch["records"]:
        threading.Event().wait()
    records = [answer(record) for record in batch["records"]]
    if FAULT == "leaks":
        everything.extend(records)
        return {"records": everything}
    if FAULT == "loses-one" and len(records) > 1:
        records.pop()
    if FAULT == "doubles-one" and len(records) > 1:
        records.append(records[0])
    if FAULT == "other-order":
        records.reverse()
    return {"records": fitted(records)}


def answer(record):
    name = "data" if FAULT == "forgets-kafka" or "data" in record else "kafkaRecordValue"
    answer = {"recordId": record["recordId"], "result": "ProcessingFailed"}
    try:
        event = json.loads(base64.b64decode(record[name], validate=True))
        kind = event["event_name"].split(":")[0]
        event["kind"] = kind
        day = str(int(event["created_at"]))
        if FAULT == "bad-time-fails-all":
            datetime.fromisoformat(event.get("occurredAt", "2026-11-27"))
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        if FAULT == "one-bad-fails-all" or (FAULT == "bad-time-fails-all" and "day" in locals()):
            raise
        if FAULT == "drops-bad":
            answer["result"] = "Dropped"
        if FAULT == "wrong-word":
            answer["result"] = "Failed"
        return answer
    if FAULT == "naive-deduplication":
        identity = repr((event.get("event_uuid"), event["event_name"], event["created_at"]))
        if identity in seen:
            # As AWS's runtime for Python writes the lines of a traceback.
            print("dropped one\rand more\r", flush=True)
            return answer | {"result": "Dropped"}
        seen.add(identity)
    if FAULT == "keys-not-safe":
        safe = kind
    else:
        safe = "".join(c if c.isalnum() and c.isascii() else f"%{ord(c):x}" for c in kind)[:100] or "-"
    if FAULT == "takes-ascii-only" and not json.dumps(event, ensure_ascii=False).isascii():
        return answer
    if FAULT == "hides-ids":
        event["event_uuid"] = hashlib.sha256(repr(event.get("event_uuid")).encode()).hexdigest()
    if FAULT == "renames-fields":
        event = {f"our_{name}": value for name, value in event.items()}
    if FAULT == "keeps-kind-only":
        event = {"kind": kind}
    if FAULT == "says-one-thing":
        event = {"event_uuid": "lie"}
    line = json.dumps(event) + ("" if FAULT == "no-line-end" else "\n")
    return answer | {
        "result": "Ok",
        name: data(line),
        "metadata": {"partitionKeys": keys(safe, day)},
    }


def data(line):
    if FAULT == "not-base64":
        return line
    return base64.b64encode(line.encode()).decode()


def keys(kind, day):
    if FAULT == "keys-not-texts":
        return {"type": kind, "day": int(day)}
    if FAULT == "keys-empty":
        return {"type": kind, "day": ""}
    if FAULT == "keys-missing" and kind == "login":
        return {"type": kind}
    return {"type": kind, "day": day}


def fitted(records):
    """What does not fit fails."""
    if FAULT == "too-large":
        return records
    left = LIMIT - len('{"records": []}')
    for at, record in enumerate(records):
        failed = {"recordId": record["recordId"], "result": "ProcessingFailed"}
        longest = len(json.dumps(record)) + 2
        if longest + (len(records) - at - 1) * 130 > left:
            record = records[at] = failed
        left -= len(json.dumps(record)) + 2
    return records


if __name__ == "__main__":
    runtime.run(handler)
