"""One event log in the emulator: how it is made, and what it is read back as."""

import time
from dataclasses import dataclass

from botocore.exceptions import ClientError

import terraform
from chain import Place, make_bucket, make_function, make_source, make_table

SECONDS_MAX = 60


@dataclass
class EventLog:
    place: Place
    values: terraform.Values

    def put(self, data: bytes) -> str:
        """Gives the id that the record's item has."""
        stream = self.values["source"]["name"]
        put = self.place.client("kinesis").put_record(
            StreamName=stream, Data=data, PartitionKey="any"
        )
        return f"{put['ShardId']}:{put['SequenceNumber']}"

    def items(self, count: int) -> dict[str, dict]:
        """Once there are so many; each by its id, with DynamoDB's types."""
        table = self.values["log_table"]["name"]
        for _ in range(2 * SECONDS_MAX):
            found = self.place.client("dynamodb").scan(TableName=table)["Items"]
            if len(found) >= count:
                return {item["eventId"]["S"]: item for item in found}
            time.sleep(0.5)
        raise AssertionError(f"{len(found)} items after {SECONDS_MAX} s, not {count}")

    def search(self, key: str) -> list[str]:
        """Ids in the order of arrival."""
        [index] = self.values["log_table"]["global_secondary_index"]
        found = self.place.client("dynamodb").query(
            TableName=self.values["log_table"]["name"],
            IndexName=index["name"],
            KeyConditionExpression=f"{index['hash_key']} = :key",
            ExpressionAttributeValues={":key": {"S": key}},
        )
        return [item["eventId"]["S"] for item in found["Items"]]

    def dead_letters(self) -> list[bytes]:
        s3, bucket = self.place.client("s3"), self.values["bucket"]["bucket"]
        [environment] = self.values["log_function"]["environment"]
        prefix = environment["variables"]["DEAD_LETTER_PREFIX"]
        found = s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
        return [s3.get_object(Bucket=bucket, Key=one["Key"])["Body"].read() for one in found]

    def messages(self) -> list[str]:
        url = self.values["log_queue"]["url"]
        got = self.place.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        return [message["Body"] for message in got.get("Messages", [])]


def make(values: terraform.Values, reached: dict[str, str]) -> tuple[EventLog, bool]:
    """The event log, and whether Terraform had made it already."""
    place = Place(values["bucket"]["region"], reached)
    made = is_made(place, values["log_table"])
    if not made:
        make_table(place.client("dynamodb"), values["log_table"])
        make_bucket(place.client("s3"), values["bucket"])
        make_queue(place.client("sqs"), values["log_queue"], values["log_function"])
        make_function(place.client("lambda"), values["log_function"], values["log_alias"])
        make_source(place.client("kinesis"), values["source"])
        make_mapping(place.client("lambda"), values["log_mapping"])
    return EventLog(place, values), made


def is_made(place: Place, table: dict) -> bool:
    try:
        place.client("dynamodb").describe_table(TableName=table["name"])
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return False
    return True


def make_queue(sqs, queue: dict, function: dict) -> None:
    made = sqs.create_queue(
        QueueName=queue["name"],
        Attributes={
            "MessageRetentionPeriod": str(queue["message_retention_seconds"]),
            "SqsManagedSseEnabled": str(queue["sqs_managed_sse_enabled"]).lower(),
        },
    )
    # The stand-in invents an address.
    queue["url"] = made["QueueUrl"]
    [environment] = function["environment"]
    environment["variables"]["DLQ_URL"] = made["QueueUrl"]


def make_mapping(function_client, mapping: dict) -> None:
    [destinations] = mapping["destination_config"]
    [on_failure] = destinations["on_failure"]
    function_client.create_event_source_mapping(
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
