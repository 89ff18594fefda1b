"""Lambda's runtime, as small as it can be: asks for invocations, answers each with a handler."""

import json
import os
import urllib.request

API = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime/invocation"


def post(path: str, answer: object) -> None:
    try:
        urllib.request.urlopen(f"{API}/{path}", json.dumps(answer).encode()).close()
    except urllib.error.HTTPError:
        pass


def run(handler) -> None:
    while True:
        with urllib.request.urlopen(f"{API}/next") as invocation:
            id = invocation.headers["lambda-runtime-aws-request-id"]
            event = json.load(invocation)
        try:
            answer = handler(event)
        except Exception as error:
            post(f"{id}/error", {"errorType": type(error).__name__, "errorMessage": str(error)})
        else:
            post(f"{id}/response", answer)
