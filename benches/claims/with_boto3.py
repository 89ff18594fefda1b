"""The function as people write it with boto3: one conditional write an event."""

import base64
import json
import os
import time

import boto3
from botocore.exceptions import ClientError

from serve import serve

table = boto3.resource("dynamodb").Table(os.environ["EVENT_CACHE_TABLE_NAME"])


def is_new(event):
    now = int(time.time())
    try:
        table.put_item(
            Item={
                "id": f"{event['event_uuid']}#{event['event_name']}#{event['created_at']}",
                "ttl": now + 86400,
            },
            ConditionExpression="attribute_not_exists(id) OR #ttl <= :now",
            ExpressionAttributeNames={"#ttl": "ttl"},
            ExpressionAttributeValues={":now": now},
        )
        return True
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            return False
        raise


def transform(record):
    event = json.loads(base64.b64decode(record["data"]))
    if not is_new(event):
        return {"recordId": record["recordId"], "result": "Dropped"}
    event_type, _, event_subtype = event["event_name"].partition(":")
    created = time.gmtime(event["created_at"])
    event["event_type"], event["event_subtype"] = event_type, event_subtype
    event["created_datetime"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", created)
    data = json.dumps(event) + "\n"
    keys = {
        "event_type": event_type,
        "event_subtype": event_subtype,
        "year": time.strftime("%Y", created),
        "month": time.strftime("%m", created),
        "day": time.strftime("%d", created),
    }
    return {
        "recordId": record["recordId"],
        "result": "Ok",
        "data": base64.b64encode(data.encode()).decode(),
        "metadata": {"partitionKeys": keys},
    }


def handler(request, context):
    return {"records": [transform(record) for record in request["records"]]}


if __name__ == "__main__":
    serve(handler)
