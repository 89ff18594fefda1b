"""The function as people write it with boto3: one conditional write an event."""

import base64
import json
import os
import time

import boto3
from botocore.exceptions import ClientError

from event import enrich, identity, write

TABLE = os.environ.get("EVENT_CACHE_TABLE_NAME")
table = boto3.resource("dynamodb").Table(TABLE) if TABLE else None


def handler(request, context):
    seen = set()
    return {"records": [transform(record, seen) for record in request["records"]]}


def transform(record, seen):
    try:
        event = json.loads(base64.b64decode(record["data"], validate=True))
        keys = enrich(event)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        return {"recordId": record["recordId"], "result": "ProcessingFailed"}
    if not is_new(identity(event), seen):
        return {"recordId": record["recordId"], "result": "Dropped"}
    return {
        "recordId": record["recordId"],
        "result": "Ok",
        "data": base64.b64encode(write(event).encode()).decode(),
        "metadata": {"partitionKeys": keys},
    }


def is_new(name, seen):
    if name in seen:
        return False
    seen.add(name)
    return table is None or claim(name)


def claim(name):
    now = int(time.time())
    try:
        table.put_item(
            Item={"id": name, "ttl": now + 86400},
            ConditionExpression="attribute_not_exists(id) OR #ttl <= :now",
            ExpressionAttributeNames={"#ttl": "ttl"},
            ExpressionAttributeValues={":now": now},
        )
        return True
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            return False
        raise
