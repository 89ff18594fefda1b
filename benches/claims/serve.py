"""The other half of a Python peer: does one batch a line of standard input, says what that took."""

import json
import sys
import time


class Context:
    """What of Lambda's context Powertools asks for."""

    def get_remaining_time_in_millis(self):
        return 60_000


def serve(handler):
    with open(sys.argv[1], "rb") as file:
        request = file.read()
    for _ in sys.stdin:
        processor, wall = time.process_time(), time.perf_counter()
        response = json.dumps(handler(json.loads(request), Context()))
        processor, wall = time.process_time() - processor, time.perf_counter() - wall
        assert response.count('"Ok"') == 6000
        print(round(processor * 1e6), round(wall * 1e6), flush=True)
