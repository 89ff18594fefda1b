"""What Python's own reader makes of each record: base64 in, a line out, a record a line.

The value of `x` as ASCII JSON, or `error`; of a record that is no object, all of it.
"""

import json
import sys
from base64 import b64decode


def read(data: bytes) -> str:
    try:
        value = json.loads(data)
        value = value.get("x") if isinstance(value, dict) else value
        return json.dumps(value, separators=(",", ":"))
    except (ValueError, RecursionError):
        return "error"


for line in sys.stdin:
    print(read(b64decode(line)))
