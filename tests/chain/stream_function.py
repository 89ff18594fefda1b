"""A function that a Kinesis stream is read with, in the emulator: how it is made, and what it sets aside."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import terraform
from chain import Place, is_made, make_bucket, make_function, make_source, make_table

SECONDS_MAX = 60


@dataclass
class StreamFunction:
    """`name` is what its resources' names begin with."""

    place: Place
    values: terraform.Values
    name: str

    def value(self, what: str) -> dict:
        return self.values[f"{self.name}_{what}"]

    @property
    def settings(self) -> dict[str, str]:
        [environment] = self.value("function")["environment"]
        return environment["variables"]

    def put(self, data: bytes) -> str:
        """Gives the record's id."""
        stream = self.values["source"]["name"]
        put = self.place.client("kinesis").put_record(
            StreamName=stream, Data=data, PartitionKey="any"
        )
        return f"{put['ShardId']}:{put['SequenceNumber']}"

    def items(self, are_all: Callable[[list[dict]], bool]) -> list[dict]:
        """What is in its table once these are all, with DynamoDB's types."""
        table = self.value("table")["name"]
        for _ in range(2 * SECONDS_MAX):
            found = self.place.client("dynamodb").scan(TableName=table)["Items"]
            if are_all(found):
                return found
            time.sleep(0.5)
        raise AssertionError(f"these are not all items, after {SECONDS_MAX} s: {found}")

    def objects(self, prefix: str) -> dict[str, bytes]:
        s3, bucket = self.place.client("s3"), self.values["bucket"]["bucket"]
        found = s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
        keys = [one["Key"] for one in found]
        return {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}

    def dead_letters(self) -> list[bytes]:
        return list(self.objects(self.settings["DEAD_LETTER_PREFIX"]).values())

    def messages(self) -> list[str]:
        url = self.value("queue")["url"]
        got = self.place.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        return [message["Body"] for message in got.get("Messages", [])]

    def make(self) -> bool:
        """Says whether Terraform had made it already."""
        dynamodb, functions = self.place.client("dynamodb"), self.place.client("lambda")
        if is_made(dynamodb.describe_table, TableName=self.value("table")["name"]):
            return True
        for table in ["table", "claims"]:
            if f"{self.name}_{table}" in self.values:
                make_table(dynamodb, self.value(table))
        make_bucket(self.place.client("s3"), self.values["bucket"])
        self.make_queue()
        make_function(functions, self.value("function"), self.value("alias"))
        make_source(self.place.client("kinesis"), self.values["source"])
        make_mapping(functions, self.value("mapping"))
        return False

    def make_queue(self) -> None:
        queue = self.value("queue")
        made = self.place.client("sqs").create_queue(
            QueueName=queue["name"],
            Attributes={
                "MessageRetentionPeriod": str(queue["message_retention_seconds"]),
                "SqsManagedSseEnabled": str(queue["sqs_managed_sse_enabled"]).lower(),
            },
        )
        # The stand-in invents an address.
        queue["url"] = self.settings["DLQ_URL"] = made["QueueUrl"]


def make_mapping(functions, mapping: dict) -> None:
    [destinations] = mapping["destination_config"]
    [on_failure] = destinations["on_failure"]
    functions.create_event_source_mapping(
        EventSourceArn=mapping["event_source_arn"],
        FunctionName=mapping["function_name"],
        StartingPosition=mapping["starting_position"],
        BatchSize=mapping["batch_size"],
        MaximumBatchingWindowInSeconds=mapping["maximum_batching_window_in_seconds"],
        ParallelizationFactor=mapping["parallelization_factor"],
        MaximumRetryAttempts=mapping["maximum_retry_attempts"],
        MaximumRecordAgeInSeconds=mapping["maximum_record_age_in_seconds"],
        BisectBatchOnFunctionError=mapping["bisect_batch_on_function_error"],
        FunctionResponseTypes=mapping["function_response_types"],
        DestinationConfig={"OnFailure": {"Destination": on_failure["destination_arn"]}},
    )
