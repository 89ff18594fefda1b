"""One event log in the emulator: what it is read back as."""

import terraform
from chain import Place
from stream_function import StreamFunction


class EventLog(StreamFunction):
    def by_id(self, count: int) -> dict[str, dict]:
        """The items once there are so many."""
        found = self.items(lambda items: len(items) >= count)
        return {item["eventId"]["S"]: item for item in found}

    def search(self, key: str) -> list[str]:
        """Ids in the order of arrival."""
        [index] = self.value("table")["global_secondary_index"]
        found = self.place.client("dynamodb").query(
            TableName=self.value("table")["name"],
            IndexName=index["name"],
            KeyConditionExpression=f"{index['hash_key']} = :key",
            ExpressionAttributeValues={":key": {"S": key}},
        )
        return [item["eventId"]["S"] for item in found["Items"]]


def make(values: terraform.Values, reached: dict[str, str]) -> tuple[EventLog, bool]:
    """The event log, and whether Terraform had made it already."""
    log = EventLog(Place(values["bucket"]["region"], reached), values, "log")
    return log, log.make()
