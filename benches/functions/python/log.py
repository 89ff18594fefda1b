"""The event log as people write it with boto3: a put_item a record, or batch_writer."""

import base64
import json
import os
from datetime import datetime, timezone
from decimal import Decimal

import boto3

TABLE = os.environ.get("TABLE_NAME")
table = boto3.resource("dynamodb").Table(TABLE) if TABLE else None
DONE = {"batchItemFailures": []}


def put_items(request, context):
    for record in request["Records"]:
        table.put_item(Item=item(record))
    return DONE


def batch_writer(request, context):
    with table.batch_writer() as batch:
        for record in request["Records"]:
            batch.put_item(Item=item(record))
    return DONE


def item(record):
    kinesis = record["kinesis"]
    arrival = datetime.fromtimestamp(kinesis["approximateArrivalTimestamp"], timezone.utc)
    made = {
        "eventId": record["eventID"],
        "timestamp": arrival.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "partitionKey": kinesis["partitionKey"],
    }
    data = base64.b64decode(kinesis["data"])
    try:
        made["data"] = json.loads(data, parse_float=Decimal)
    except ValueError:
        made |= {"raw": data, "refused": "not_json"}
    return made
