"""One star-schema loader in the emulator: how it is made and called, and what it leaves."""

import json
import time
from dataclasses import dataclass

import terraform
from chain import Place, is_made, make_bucket, make_function

SECONDS_MAX = 60


@dataclass
class StarSchema:
    place: Place
    values: terraform.Values

    def put_packet(self, key: str, rows: list[dict]) -> None:
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        bucket = self.values["star_packets"]["bucket"]
        self.place.client("s3").put_object(Bucket=bucket, Key=key, Body=lines.encode())

    def call(self, packets: list[dict]) -> None:
        """As an ingestion calls it, which waits for no answer."""
        self.place.client("lambda").invoke(
            FunctionName=self.values["star_function"]["function_name"],
            InvocationType="Event",
            Payload=json.dumps({"packets": packets}),
        )

    def written(self, prefix: str) -> list[str]:
        """What there is below it once there is something."""
        s3, bucket = self.place.client("s3"), self.values["star_files"]["bucket"]
        for _ in range(2 * SECONDS_MAX):
            if found := s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents"):
                return [one["Key"] for one in found]
            time.sleep(0.5)
        raise AssertionError(f"nothing below {prefix}, after {SECONDS_MAX} s")

    def told(self) -> dict:
        """What whoever subscribes to alarms hears next."""
        sqs = self.place.client("sqs")
        for _ in range(SECONDS_MAX):
            got = sqs.receive_message(QueueUrl=self.subscriber, WaitTimeSeconds=1)
            for message in got.get("Messages", []):
                return json.loads(json.loads(message["Body"])["Message"])
        raise AssertionError(f"nothing was told, after {SECONDS_MAX} s")

    def make(self) -> bool:
        """Says whether Terraform had made it already."""
        s3, functions = self.place.client("s3"), self.place.client("lambda")
        function = self.values["star_function"]
        made = is_made(functions.get_function, FunctionName=function["function_name"])
        if not made:
            for use in ["star_packets", "star_files"]:
                make_bucket(s3, self.values[use])
            make_function(functions, function, self.values["star_alias"])
            self.place.client("sns").create_topic(Name=self.values["alarms"]["name"])
        self.keep_calls()
        self.subscribe()
        return made

    def keep_calls(self) -> None:
        """Of an alias the emulator keeps what is set, and does not do it."""
        calls = self.values["star_calls"]
        [destinations] = calls["destination_config"]
        [on_failure] = destinations["on_failure"]
        self.place.client("lambda").put_function_event_invoke_config(
            FunctionName=calls["function_name"],
            MaximumRetryAttempts=calls["maximum_retry_attempts"],
            MaximumEventAgeInSeconds=calls["maximum_event_age_in_seconds"],
            DestinationConfig={"OnFailure": {"Destination": on_failure["destination"]}},
        )

    def subscribe(self) -> None:
        sqs = self.place.client("sqs")
        self.subscriber = sqs.create_queue(QueueName="operator")["QueueUrl"]
        attributes = sqs.get_queue_attributes(
            QueueUrl=self.subscriber, AttributeNames=["QueueArn"]
        )["Attributes"]
        self.place.client("sns").subscribe(
            TopicArn=self.values["alarms"]["arn"],
            Protocol="sqs",
            Endpoint=attributes["QueueArn"],
        )


def make(values: terraform.Values, reached: dict[str, str]) -> tuple[StarSchema, bool]:
    """The loader, and whether Terraform had made it already."""
    star = StarSchema(Place(values["star_packets"]["region"], reached), values)
    return star, star.make()
