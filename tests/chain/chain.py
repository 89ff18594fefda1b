"""One chain, in the emulator or in a real account: how it is made, and what it is read back as."""

import base64
import gzip
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

import terraform

RECORDS_MAX, BYTES_MAX = 500, 4 << 20  # of one PutRecordBatch; PutRecords takes as many
KEY = re.compile(r"!\{partitionKeyFromLambda:(\w+)\}")
# Firehose may add the hour of arrival where a prefix names no time; both answers are right.
HOUR_OF_ARRIVAL = r"(?:\d{4}/\d\d/\d\d/\d\d/)?"


class Place:
    """An account and region, or the emulator at this endpoint."""

    def __init__(self, region: str, reached: dict[str, str] | None = None):
        self.reached = reached
        if reached is None:
            self.session = boto3.Session(region_name=region)
            return
        self.session = boto3.Session(
            aws_access_key_id=reached["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=reached["AWS_SECRET_ACCESS_KEY"],
            region_name=region,
        )

    @property
    def emulated(self) -> bool:
        return self.reached is not None

    def client(self, service: str):
        if not self.emulated:
            return self.session.client(service)
        address = self.reached["AWS_ENDPOINT_URL"]
        address = self.reached.get(f"AWS_ENDPOINT_URL_{service.upper()}", address)
        # It answers once all records are through, which takes its time; one sent again is no test.
        config = Config(read_timeout=180, retries={"total_max_attempts": 1})
        return self.session.client(service, endpoint_url=address, config=config)


@dataclass
class Chain:
    place: Place
    stream: str
    bucket: str
    kinesis: str | None

    @cached_property
    def s3(self):
        return self.place.client("s3")

    @cached_property
    def destination(self) -> dict:
        described = self.place.client("firehose").describe_delivery_stream(
            DeliveryStreamName=self.stream
        )["DeliveryStreamDescription"]
        return described["Destinations"][0]["ExtendedS3DestinationDescription"]

    @cached_property
    def processor(self) -> dict[str, str]:
        [processor] = self.destination["ProcessingConfiguration"]["Processors"]
        return {one["ParameterName"]: one["ParameterValue"] for one in processor["Parameters"]}

    @cached_property
    def settings(self) -> dict[str, str]:
        """What the function that the stream calls is told."""
        function = self.place.client("lambda").get_function_configuration(
            FunctionName=self.processor["LambdaArn"]
        )
        return function["Environment"]["Variables"]

    # --- In ---

    def put(self, records: list[bytes]) -> None:
        for batch in batches(records, RECORDS_MAX, BYTES_MAX):
            if failed := self.put_batch(batch):
                raise RuntimeError(f"{failed} of {len(batch)} records were not taken")

    def put_batch(self, batch: list[bytes]) -> int:
        if self.kinesis:
            records = [{"Data": data, "PartitionKey": str(n)} for n, data in enumerate(batch)]
            answer = self.place.client("kinesis").put_records(
                StreamName=self.kinesis, Records=records
            )
            return answer["FailedRecordCount"]
        answer = self.place.client("firehose").put_record_batch(
            DeliveryStreamName=self.stream, Records=[{"Data": data} for data in batch]
        )
        return answer["FailedPutCount"]

    def invoke(self, batch: list["Record"]) -> list[dict]:
        """Calls the function as the stream would; gives the answer's records."""
        request = {
            "invocationId": "00000000-0000-4000-8000-000000000000",
            "deliveryStreamArn": f"arn:aws:firehose:::deliverystream/{self.stream}",
            "region": self.place.session.region_name,
            "records": [record.sent() for record in batch],
        }
        answer = self.place.client("lambda").invoke(
            FunctionName=self.processor["LambdaArn"], Payload=json.dumps(request).encode()
        )
        body = answer["Payload"].read()
        if "FunctionError" in answer:
            raise RuntimeError(f"the function failed: {body!r}")
        return json.loads(body)["records"]

    # --- Out ---

    def folder(self, keys: dict[str, str]) -> str:
        """Where an event with these partition keys belongs."""
        return KEY.sub(lambda name: keys[name[1]], self.destination["Prefix"])

    def keys(self, prefix: str, since: datetime | None = None) -> set[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        found = (one for page in pages for one in page.get("Contents", []))
        return {one["Key"] for one in found if since is None or one["LastModified"] >= since}

    def read(self, key: str) -> bytes:
        body = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body

    @property
    def error_folder(self) -> str:
        return self.destination["ErrorOutputPrefix"].split("!")[0]

    def holds(self, folder: str, key: str) -> bool:
        """Whether an object lies in this folder, and is the stream's."""
        name = re.escape(folder) + HOUR_OF_ARRIVAL + re.escape(self.stream) + "-[^/]+"
        return re.fullmatch(name, key) is not None


@dataclass
class Record:
    id: str
    arrival_milliseconds: int
    data: bytes

    def sent(self) -> dict:
        return {
            "recordId": self.id,
            "approximateArrivalTimestamp": self.arrival_milliseconds,
            "data": base64.b64encode(self.data).decode(),
        }


def batches(records: list[bytes], records_max: int, bytes_max: int) -> list[list[bytes]]:
    cut, size = [[]], 0
    for data in records:
        if len(cut[-1]) == records_max or size + len(data) > bytes_max:
            cut.append([])
            size = 0
        cut[-1].append(data)
        size += len(data)
    return [batch for batch in cut if batch]


# --- Making it, where Terraform's provider did not: each value is the rendered one ---


def make(values: terraform.Values, reached: dict[str, str]) -> tuple[Chain, bool]:
    """The chain, and whether Terraform had made it already."""
    place = Place(values["stream"]["region"], reached)
    describe = place.client("firehose").describe_delivery_stream
    made = is_made(describe, DeliveryStreamName=values["stream"]["name"])
    if not made:
        make_table(place.client("dynamodb"), values["table"])
        make_bucket(place.client("s3"), values["bucket"])
        make_function(place.client("lambda"), values["function"], values["alias"])
        if "source" in values:
            make_source(place.client("kinesis"), values["source"])
        make_stream(place.client("firehose"), values["stream"])
    chain = Chain(
        place,
        stream=values["stream"]["name"],
        bucket=values["bucket"]["bucket"],
        kinesis=values["source"]["name"] if "source" in values else None,
    )
    return chain, made


def is_made(describe: Callable, **name: str) -> bool:
    try:
        describe(**name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return False
    return True


def make_table(dynamodb, table: dict) -> None:
    indexes = [
        {
            "IndexName": index["name"],
            "KeySchema": [
                {"AttributeName": index["hash_key"], "KeyType": "HASH"},
                {"AttributeName": index["range_key"], "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": index["projection_type"]},
        }
        for index in table["global_secondary_index"] or []
    ]
    dynamodb.create_table(
        **({"GlobalSecondaryIndexes": indexes} if indexes else {}),
        TableName=table["name"],
        BillingMode=table["billing_mode"],
        KeySchema=[
            {"AttributeName": table[key], "KeyType": kind}
            for key, kind in [("hash_key", "HASH"), ("range_key", "RANGE")]
            if table[key]
        ],
        AttributeDefinitions=[
            {"AttributeName": one["name"], "AttributeType": one["type"]}
            for one in table["attribute"]
        ],
        DeletionProtectionEnabled=table["deletion_protection_enabled"],
        SSESpecification={"Enabled": table["server_side_encryption"][0]["enabled"]},
    )
    for ttl in table["ttl"]:
        dynamodb.update_time_to_live(
            TableName=table["name"],
            TimeToLiveSpecification={
                "AttributeName": ttl["attribute_name"],
                "Enabled": ttl["enabled"],
            },
        )


def make_bucket(s3, bucket: dict) -> None:
    s3.create_bucket(
        Bucket=bucket["bucket"],
        CreateBucketConfiguration={"LocationConstraint": bucket["region"]},
    )


def make_function(function_client, function: dict, alias: dict) -> None:
    [environment], [logging] = function["environment"], function["logging_config"]
    # ministack runs the zip as it is, on this machine's processor, whatever it is told here.
    made = function_client.create_function(
        FunctionName=function["function_name"],
        Description=function["description"],
        Role=function["role"],
        Code={"ZipFile": Path(function["filename"]).read_bytes()},
        Runtime=function["runtime"],
        Architectures=function["architectures"],
        Handler=function["handler"],
        Publish=function["publish"],
        MemorySize=function["memory_size"],
        Timeout=function["timeout"],
        Environment={"Variables": environment["variables"]},
        LoggingConfig={
            "LogFormat": logging["log_format"],
            "LogGroup": logging["log_group"],
            "ApplicationLogLevel": logging["application_log_level"],
            "SystemLogLevel": logging["system_log_level"],
        },
    )
    function_client.create_alias(
        FunctionName=alias["function_name"],
        Name=alias["name"],
        Description=alias["description"],
        FunctionVersion=made["Version"],
    )


def make_source(kinesis, source: dict) -> None:
    [mode] = source["stream_mode_details"]
    kinesis.create_stream(
        StreamName=source["name"], StreamModeDetails={"StreamMode": mode["stream_mode"]}
    )
    kinesis.get_waiter("stream_exists").wait(StreamName=source["name"])
    if source["retention_period"] > 24:
        kinesis.increase_stream_retention_period(
            StreamName=source["name"], RetentionPeriodHours=source["retention_period"]
        )


def make_stream(firehose, stream: dict) -> None:
    [lake] = stream["extended_s3_configuration"]
    [partitioning] = lake["dynamic_partitioning_configuration"]
    [processing] = lake["processing_configuration"]
    [logging] = lake["cloudwatch_logging_options"]
    destination = {
        "RoleARN": lake["role_arn"],
        "BucketARN": lake["bucket_arn"],
        "Prefix": lake["prefix"],
        "ErrorOutputPrefix": lake["error_output_prefix"],
        # ministack buffers nothing and compresses nothing: it writes an object for each record,
        # and calls the function with one record at a time.
        "BufferingHints": {
            "SizeInMBs": lake["buffering_size"],
            "IntervalInSeconds": lake["buffering_interval"],
        },
        "CompressionFormat": lake["compression_format"],
        "S3BackupMode": lake["s3_backup_mode"],
        "DynamicPartitioningConfiguration": {
            "Enabled": partitioning["enabled"],
            "RetryOptions": {"DurationInSeconds": partitioning["retry_duration"]},
        },
        "ProcessingConfiguration": {
            "Enabled": processing["enabled"],
            "Processors": [
                {
                    "Type": processor["type"],
                    "Parameters": [
                        {
                            "ParameterName": one["parameter_name"],
                            "ParameterValue": one["parameter_value"],
                        }
                        for one in processor["parameters"]
                    ],
                }
                for processor in processing["processors"]
            ],
        },
        "CloudWatchLoggingOptions": {
            "Enabled": logging["enabled"],
            "LogGroupName": logging["log_group_name"],
            "LogStreamName": logging["log_stream_name"],
        },
    }
    firehose.create_delivery_stream(
        DeliveryStreamName=stream["name"],
        ExtendedS3DestinationConfiguration=destination,
        **input_of(stream),
    )


def input_of(stream: dict) -> dict:
    for source in stream["kinesis_source_configuration"]:
        return {
            "DeliveryStreamType": "KinesisStreamAsSource",
            "KinesisStreamSourceConfiguration": {
                "KinesisStreamARN": source["kinesis_stream_arn"],
                "RoleARN": source["role_arn"],
            },
        }
    encryption = stream["server_side_encryption"][0]
    return {
        "DeliveryStreamType": "DirectPut",
        "DeliveryStreamEncryptionConfigurationInput": {"KeyType": encryption["key_type"]},
    }
