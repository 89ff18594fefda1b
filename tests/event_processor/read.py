"""Reads counters as boto3 gives them, and users as Apache DataSketches reads them."""

import json
import struct
import sys

import boto3
from datasketches import cpc_sketch, cpc_union

endpoint, table = sys.argv[1:]
table = boto3.resource("dynamodb", endpoint_url=endpoint, region_name="us-east-1").Table(table)


def users(sketches):
    """How many users there are in any of these."""
    union = cpc_union(11)
    for sketch in sketches:
        kind, rest = sketch[0], sketch[1:]
        if kind == 1:
            part = cpc_sketch(11)
            for (user,) in struct.iter_unpack(">Q", rest):
                part.update(user)
        else:
            part = cpc_sketch.deserialize(rest)
        union.update(part)
    return union.get_result().get_estimate()


items = table.scan()["Items"]
counters = {
    f"{item['partition_key']} {item['sort_key']}": int(item["event_count"])
    for item in items
    if "event_count" in item
}
sketches = {
    f"{item['partition_key']} {item['sort_key']}": {
        "users": int(item["users"]),
        "estimate": users([bytes(item["sketch"].value)]),
    }
    for item in items
    if "sketch" in item
}
union = users(bytes(item["sketch"].value) for item in items if "sketch" in item)
print(json.dumps({"counters": counters, "sketches": sketches, "union": union}))
