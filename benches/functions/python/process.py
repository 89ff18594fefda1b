"""The event processor as people write it with pydantic and boto3: an ADD a window and event, an object an hour."""

import base64
import gzip
import os
from collections import defaultdict
from datetime import datetime, timezone

import boto3
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

table = boto3.resource("dynamodb").Table(os.environ["DYNAMODB_TABLE"])
s3 = boto3.client("s3")
BUCKET = os.environ["S3_BUCKET"]
WINDOWS = ["hour#%Y-%m-%d-%H", "day#%Y-%m-%d"]
HOUR = "year=%Y/month=%m/day=%d/hour=%H"


class Metadata(BaseModel):
    model_config = ConfigDict(extra="allow")
    variant: str | None = None


class Event(BaseModel):
    model_config = ConfigDict(extra="allow")
    event_id: str = Field(min_length=1, max_length=256)
    event_type: str = Field(min_length=1, max_length=100)
    user_id: str = Field(min_length=1, max_length=256)
    experiment_id: str | None = None
    timestamp: AwareDatetime
    properties: dict | None = None
    metadata: Metadata = Metadata()


def handler(request, context):
    hours = defaultdict(list)
    for record in request["Records"]:
        sequence = record["kinesis"]["sequenceNumber"]
        data = base64.b64decode(record["kinesis"]["data"])
        try:
            event = Event.model_validate_json(data)
        except ValidationError:
            s3.put_object(Bucket=BUCKET, Key=f"dead-letters/{sequence}", Body=data)
            continue
        time = event.timestamp.astimezone(timezone.utc)
        count(event, time)
        hours[time.strftime(HOUR)].append((sequence, event))
    for hour, events in hours.items():
        archive(hour, events)
    return {"batchItemFailures": []}


def count(event, time):
    if event.experiment_id is None or event.metadata.variant is None:
        return
    for window in WINDOWS:
        table.update_item(
            Key={
                "partition_key": f"exp_{event.experiment_id}#variant#{event.metadata.variant}#{time.strftime(window)}",
                "sort_key": f"event_type#{event.event_type}",
            },
            UpdateExpression="ADD event_count :one",
            ExpressionAttributeValues={":one": 1},
        )


def archive(hour, events):
    lines = "\n".join(event.model_dump_json() for _, event in events)
    s3.put_object(
        Bucket=BUCKET,
        Key=f"{hour}/{events[0][0]}.jsonl.gz",
        Body=gzip.compress(lines.encode()),
        ContentType="application/x-ndjson",
    )
