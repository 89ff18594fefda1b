"""The whole chain: events go into a stream, the real function's zip runs, the lake is read back.
The event log and the event processor beside it: records go into a stream, and tables and archive
are read back. The star-schema loader: it is called as an ingestion calls it.

    .cache/venv/bin/python -m unittest -v tests/chain/test_chain.py

On this machine. ministack stands for AWS. What it has is what Terraform renders for `dev`: names,
keys, settings, prefixes and buffers are taken from `terraform show`, none is written here. What it
cannot show: Firehose's buffers, batches, compression, retries and error objects. It calls the
function with one record at a time, keeps nothing of a record that the function refuses, and passes
a record through when the function fails (which then cannot be placed, and that is seen here). So
batches of the rendered size go to the function directly; the rest is what `nozzle run` shows.

In a real account. Off unless NOZZLE_CHAIN_ENVIRONMENT is set. It puts some 5,000 invented events
into the stream that is deployed, and leaves them in its lake.

    NOZZLE_CHAIN_ENVIRONMENT   the environment, such as `dev`; its `terraform output` says the names
    NOZZLE_CHAIN_SECONDS_MAX   how long to wait for delivery; three times the stream's interval and
                               five minutes, unless set
    AWS_PROFILE and the like   who may put into the stream, describe it and its function, and list
                               and read the bucket

For both.

    NOZZLE_TERRAFORM           the Terraform to call; else the stand-in for the provider where it
                               is, else `terraform`
    NOZZLE_FUNCTIONS           the folder of the functions' programs; else those that the other
                               tests run
"""

import base64
import json
import os
import random
import subprocess
import sys
import tempfile
import unittest
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT / "build")]

import event_log  # noqa: E402
import event_processor  # noqa: E402
import events  # noqa: E402
import star_schema  # noqa: E402
import terraform  # noqa: E402
from chain import Chain, Place, Record, batches, make  # noqa: E402
from emulator import aws  # noqa: E402
from lake import Objects, delivered_since, everything, problems  # noqa: E402
from zip_function import zip_function  # noqa: E402

ENVIRONMENT = "dev"
DEPLOYED = os.environ.get("NOZZLE_CHAIN_ENVIRONMENT")
MEGABYTE = 1 << 20
# By the variable that names the zip.
FUNCTIONS = {
    "function_zip": "firehose-transform",
    "event_log_zip": "event-log",
    "event_processor_zip": "event-processor",
    "star_schema_zip": "star-schema",
}
READING = b'{"sensor": "temperature", "value": 22.5}'
AS_DYNAMODB = {"M": {"sensor": {"S": "temperature"}, "value": {"N": "22.5"}}}
LOOKUPS = {
    "event_processor_assignments_table": "assignments",
    "event_processor_experiments_table": "experiments",
}
ASSIGNMENT = {
    "user_id": "u2",
    "experiment_id": "e1",
    "assignment_id": "a1",
    "variant": "a",
    "timestamp": "2026-04-07T21:50:00Z",
}
EXPERIMENT = {"key": "e1", "name": "Buttons", "status": "running"}
# Three events of two users; the last one's variant is its assignment's.
VIEWS = [
    {
        "event_id": str(number),
        "event_type": "view",
        "user_id": user,
        "experiment_id": "e1",
        "timestamp": f"2026-04-07T23:{number}0:00Z",
        "metadata": metadata,
    }
    for number, (user, metadata) in enumerate(
        [("u1", {"variant": "a"}), ("u1", {"variant": "a"}), ("u2", {})]
    )
]
CURRENCY = {"currency_id": 1, "currency_code": "EUR", "last_updated": "2026-04-07 21:50:00"}
OTHER = VIEWS[0] | {"event_id": "other", "event_type": "#"}
HALF = 2_500  # of the sample: one record at a time takes the emulator a while


class Emulated(unittest.TestCase):
    """Each test has an emulator of its own, with nothing in it but the chain."""

    def test_direct_put(self):
        with emulated() as chain:
            self.put_and_check(chain, events.sample()[:HALF])

    def test_kinesis(self):
        """With other keys and listed types too, on which prefix and function must agree."""
        variables = {
            "stream_source": "kinesis",
            "event_types": list(events.make_events.CATALOG),
            "partition_keys": ["year", "month", "day", "hour", "event_type", "event_subtype"],
        }
        with emulated(variables) as chain:
            self.assertIsNotNone(chain.kinesis)
            self.put_and_check(chain, events.sample()[HALF:])

    def put_and_check(self, chain: Chain, records: list[bytes]) -> None:
        chain.put(records)
        expected = events.expect(records, chain.settings)
        self.assertEqual(problems(chain, everything(chain), expected)[:9], [])

    def test_batches_as_large_as_the_stream_sends_them(self):
        with emulated() as chain:
            records, answers = events.sample(), []
            for batch in batches_of_the_stream(chain, records):
                answer = chain.invoke(batch)
                self.assertEqual([one["recordId"] for one in answer], [one.id for one in batch])
                # The same batch again is a retry, not a duplicate: Firehose never had the answer.
                self.assertEqual(chain.invoke(batch), answer)
                answers += answer
            expected = events.expect(records, chain.settings)
            self.assertEqual(problems(chain, written(chain, answers), expected)[:9], [])
            results = Counter(answer["result"] for answer in answers)
            self.assertEqual(results["ProcessingFailed"], expected.refused.total())
            self.assertEqual(results["Dropped"], expected.duplicates)

    def test_a_function_that_fails_is_seen(self):
        with emulated() as chain:
            table = chain.settings["EVENT_CACHE_TABLE_NAME"]
            chain.place.client("dynamodb").delete_table(TableName=table)
            records = events.sample()[:1]
            chain.put(records)
            expected = events.expect(records, chain.settings)
            missing, passed_through = problems(chain, everything(chain), expected)
            self.assertIn("1 events are missing", missing)
            self.assertIn("was not refused", passed_through)


class EmulatedEventLog(unittest.TestCase):
    """The emulator's mapping ignores what the function reports: faults are for the Rust tests."""

    def test_alone_beside_no_lake(self):
        with emulated_event_log({"event_log_search_key": "/sensor", "lake": False}) as log:
            ids = [log.put(data) for data in [READING, b"no JSON", READING]]
            first, unreadable, second = (log.by_id(3)[id] for id in ids)
            self.assertEqual(first["data"], AS_DYNAMODB)
            self.assertEqual(second["data"], AS_DYNAMODB)
            self.assertEqual(unreadable["raw"]["B"], b"no JSON")
            self.assertEqual(unreadable["refused"], {"S": "not_json"})
            self.assertEqual(log.search("temperature"), [ids[0], ids[2]])
            self.assertEqual(log.dead_letters(), [])

    def test_ids_of_the_events_own_and_dead_letters(self):
        variables = {"event_log_id": "/sensor", "event_log_on_unreadable": "dead-letter"}
        with emulated_event_log(variables) as log:
            for data in [READING, READING, b"no JSON", b'{"sensor": "light"}']:
                log.put(data)
            items = log.by_id(2)
            self.assertEqual(items["temperature"]["data"], AS_DYNAMODB)
            self.assertEqual(set(items), {"temperature", "light"})
            [letter] = [json.loads(letter) for letter in log.dead_letters()]
            self.assertEqual(letter["reason"], "not_json")
            self.assertEqual(base64.b64decode(letter["data"]), b"no JSON")
            self.assertEqual([json.loads(one)["reason"] for one in log.messages()], ["not_json"])


class EmulatedEventProcessor(unittest.TestCase):
    """The emulator's mapping ignores what the function reports: faults are for the Rust tests."""

    def test_alone_with_all_that_it_looks_up(self):
        with emulated_event_processor({"lake": False} | LOOKUPS) as processor:
            processor.make_lookup("assignments", ["user_id", "experiment_id"], [ASSIGNMENT])
            processor.make_lookup("experiments", ["key"], [EXPERIMENT])
            ids = [processor.put(json.dumps(event).encode()) for event in VIEWS]
            refused = processor.put(b"no JSON")
            processor.put(json.dumps(VIEWS[0]).encode())

            last = processor.put(json.dumps(OTHER).encode())
            counters = processor.counters(len(VIEWS) + 1)
            window = {
                name: f"exp_e1#variant#a#{name}#{value}"
                for name, value in [("hour", "2026-04-07-23"), ("day", "2026-04-07")]
            }
            view, other = "event_type#view", "event_type#%23"
            self.assertEqual(
                counters,
                {(key, view): 3 for key in window.values()}
                | {(key, other): 1 for key in window.values()},
            )
            users = {"users#view": 2, "users#%23": 1}
            self.assertEqual(
                processor.users(),
                {(key, sort): number for key in window.values() for sort, number in users.items()},
            )

            archive = processor.archived()
            hour = ["2026", "04", "07", "23"]
            self.assertEqual([one for one in archive if not processor.is_found(one, hour)], [])
            lines = {line["record_id"]: line for lines in archive.values() for line in lines}
            self.assertEqual(set(lines), {*ids, last})
            self.assertEqual(lines[ids[2]]["variant"], "a")
            self.assertEqual(lines[ids[2]]["time_since_assignment_seconds"], 5400)
            self.assertEqual(lines[ids[0]]["experiment_name"], "Buttons")

            letters = [json.loads(letter) for letter in processor.dead_letters()]
            self.assertEqual(
                [(one["reason"], one["record_id"]) for one in letters], [("not_json", refused)]
            )
            self.assertEqual(
                [json.loads(one)["reason"] for one in processor.messages()], ["not_json"]
            )


class EmulatedStarSchema(unittest.TestCase):
    def test_a_call_that_cannot_succeed_is_told_and_the_sweep_loads_its_packet(self):
        with applied({"star_schema": True, "lake": False}, star_schema.make) as star:
            star.put_packet("currency_1_x.jsonl", [CURRENCY])
            star.call([{"table": "currency", "id": 1, "key": "currency_1_x.jsonl"}])
            self.assertEqual(star.written("packets/"), ["packets/currency/00000001.json"])
            self.assertEqual(len(star.written("dim_currency/")), 1)

            late = {"table": "currency", "id": 2, "key": "currency_2_x.jsonl"}
            star.call([late])
            told = star.told()
            self.assertEqual(told["requestPayload"], {"packets": [late]})
            self.assertEqual(told["requestContext"]["condition"], "RetriesExhausted")
            self.assertIn("packet 2 of currency", json.dumps(told["responsePayload"]))

            star.put_packet(late["key"], [CURRENCY | {"currency_id": 2}])
            star.call([])
            self.assertEqual(
                star.written("packets/currency/00000002"), ["packets/currency/00000002.json"]
            )


@unittest.skipUnless(DEPLOYED, "NOZZLE_CHAIN_ENVIRONMENT names no deployed environment")
class Deployed(unittest.TestCase):
    def test_deployed(self):
        chain = deployed()
        records = events.others(random.SystemRandom().getrandbits(64))
        expected = events.expect(records, chain.settings)
        # S3's clock is another one.
        start = datetime.now(UTC) - timedelta(seconds=30)
        chain.put(records)
        objects = delivered_since(chain, expected, start, seconds_max(chain))
        self.assertEqual(problems(chain, objects, expected)[:9], [])


def deployed() -> Chain:
    outputs = terraform.outputs(DEPLOYED)
    return Chain(
        Place(region=outputs["stream_arn"].split(":")[3]),
        stream=outputs["stream_name"],
        bucket=outputs["bucket"],
        kinesis=outputs["kinesis_stream_name"],
    )


def seconds_max(chain: Chain) -> float:
    interval = chain.destination["BufferingHints"]["IntervalInSeconds"]
    return float(os.environ.get("NOZZLE_CHAIN_SECONDS_MAX") or 3 * interval + 300)


@contextmanager
def emulated(variables: dict | None = None) -> Iterator[Chain]:
    with applied(variables or {}, make) as chain:
        yield chain


@contextmanager
def emulated_event_log(variables: dict) -> Iterator[event_log.EventLog]:
    with applied(variables | {"event_log": True}, event_log.make) as log:
        yield log


@contextmanager
def emulated_event_processor(variables: dict) -> Iterator[event_processor.EventProcessor]:
    with applied(variables | {"event_processor": True}, event_processor.make) as processor:
        yield processor


@contextmanager
def applied(variables: dict, make: Callable) -> Iterator:
    with aws() as reached:
        try:
            values = terraform.apply(ENVIRONMENT, variables | zips, reached)
        except terraform.OutOfReach as reason:
            left_out.add(str(reason))
            raise unittest.SkipTest(str(reason)) from reason
        made, made_by_terraform = make(values, reached)
        if not made_by_terraform:
            left_out.add(
                "Terraform's real provider against the emulator. The stand-in, which is used "
                "where the registry is out of reach, makes nothing: the test did, from what "
                "Terraform rendered"
            )
        yield made


def batches_of_the_stream(chain: Chain, records: list[bytes]) -> Iterator[list[Record]]:
    bytes_max = int(float(chain.processor["BufferSizeInMBs"]) * MEGABYTE)
    number = 0
    for batch in batches(records, len(records), bytes_max):
        arrival = 1_772_000_000_000 + number
        yield [Record(f"{number + n:056}", arrival + n, data) for n, data in enumerate(batch)]
        number += len(batch)


def written(chain: Chain, answers: list[dict]) -> Objects:
    """The objects that Firehose would write of these answers, each with one event."""
    objects = {}
    for number, answer in enumerate(answers):
        if answer["result"] == "Ok":
            folder = chain.folder(answer["metadata"]["partitionKeys"])
            key = f"{folder}{chain.stream}-{number}"
            objects[key] = base64.b64decode(answer["data"])
    return objects


def setUpModule() -> None:
    global zips, left_out
    left_out, zips = set(), {}
    folder = tempfile.TemporaryDirectory()
    unittest.addModuleCleanup(folder.cleanup)
    programs = function_programs()
    for variable, function in FUNCTIONS.items():
        zips[variable] = f"{folder.name}/{function}.zip"
        zip_function(programs / function, Path(zips[variable]))


def tearDownModule() -> None:
    for what in left_out:
        print(f"LEFT OUT: {what}", file=sys.stderr)


def function_programs() -> Path:
    """Where those lie that the Rust tests run, built as they build them: none is built twice."""
    if named := os.environ.get("NOZZLE_FUNCTIONS"):
        return Path(named)
    command = ["cargo", "test", "--locked", "--no-run", "--test", "lambda"]
    built = subprocess.run(
        [*command, "--message-format=json"], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    artifacts = (json.loads(line) for line in built.stdout.splitlines())
    [folder] = {
        Path(artifact["executable"]).parent
        for artifact in artifacts
        if artifact.get("target", {}).get("name") in FUNCTIONS.values()
        and artifact.get("executable")
        and "bin" in artifact["target"]["kind"]
        and not artifact["profile"]["test"]
    }
    return folder


if __name__ == "__main__":
    unittest.main()
