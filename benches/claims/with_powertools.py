"""The function with Powertools' idempotency: two writes an event."""

import base64
import json
import os
import time

from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)

from serve import serve

claims = DynamoDBPersistenceLayer(table_name=os.environ["EVENT_CACHE_TABLE_NAME"])
by_identity = IdempotencyConfig(
    event_key_jmespath="[event_uuid, event_name, created_at]", expires_after_seconds=86400
)


@idempotent_function(
    data_keyword_argument="event", persistence_store=claims, config=by_identity
)
def enrich(event):
    event_type, _, event_subtype = event["event_name"].partition(":")
    created = time.gmtime(event["created_at"])
    event["event_type"], event["event_subtype"] = event_type, event_subtype
    event["created_datetime"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", created)
    return {
        "event_type": event_type,
        "event_subtype": event_subtype,
        "year": time.strftime("%Y", created),
        "month": time.strftime("%m", created),
        "day": time.strftime("%d", created),
    }


def transform(record):
    event = json.loads(base64.b64decode(record["data"]))
    keys = enrich(event=event)
    data = json.dumps(event) + "\n"
    return {
        "recordId": record["recordId"],
        "result": "Ok",
        "data": base64.b64encode(data.encode()).decode(),
        "metadata": {"partitionKeys": keys},
    }


def handler(request, context):
    by_identity.register_lambda_context(context)
    return {"records": [transform(record) for record in request["records"]]}


if __name__ == "__main__":
    serve(handler)
