"""One event processor in the emulator: what it has counted and archived."""

import gzip
import json
import re

import terraform
from chain import Place
from stream_function import StreamFunction


class EventProcessor(StreamFunction):
    def make_lookup(self, table: str, keys: list[str], items: list[dict[str, str]]) -> None:
        """A table that others fill, with these items of text; it has to be there before events."""
        dynamodb = self.place.client("dynamodb")
        dynamodb.create_table(
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[
                {"AttributeName": key, "KeyType": kind}
                for key, kind in zip(keys, ["HASH", "RANGE"], strict=False)
            ],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        )
        for item in items:
            texts = {name: {"S": value} for name, value in item.items()}
            dynamodb.put_item(TableName=table, Item=texts)

    def counters(self, events: int) -> dict[tuple[str, str], int]:
        """By their two keys, once each window has counted so many events."""
        windows = self.settings["WINDOWS"].count(",") + 1

        def are_all(items: list[dict]) -> bool:
            return sum(counted(items).values()) >= events * windows

        return counted(self.items(are_all))

    def users(self) -> dict[tuple[str, str], int]:
        items = self.items(lambda _: True)
        return {keys(item): int(item["users"]["N"]) for item in items if "users" in item}

    def archived(self) -> dict[str, list[dict]]:
        """By their object's address, each where Athena looks for its hour."""
        bucket, prefix = self.values["bucket"]["bucket"], self.settings["ARCHIVE_PREFIX"]
        objects = {
            f"s3://{bucket}/{key}": gzip.decompress(data)
            for key, data in self.objects(prefix).items()
        }
        return {
            address: [json.loads(line) for line in data.splitlines()]
            for address, data in objects.items()
        }

    def is_found(self, address: str, hour: list[str]) -> bool:
        """Whether Athena finds an object that has events of this year, month, day and hour."""
        parameters = self.value("archive")["parameters"]
        values = iter(hour)
        folder = re.sub(
            r"\$\{\w+\}", lambda _: next(values), parameters["storage.location.template"]
        )
        return re.fullmatch(f"{re.escape(folder)}[^/]+", address) is not None


def keys(item: dict) -> tuple[str, str]:
    return item["partition_key"]["S"], item["sort_key"]["S"]


def counted(items: list[dict]) -> dict[tuple[str, str], int]:
    return {keys(item): int(item["event_count"]["N"]) for item in items if "event_count" in item}


def make(values: terraform.Values, reached: dict[str, str]) -> tuple[EventProcessor, bool]:
    """The event processor, and whether Terraform had made it already."""
    place = Place(values["bucket"]["region"], reached)
    processor = EventProcessor(place, values, "processor")
    return processor, processor.make()
