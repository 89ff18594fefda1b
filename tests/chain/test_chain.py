"""The whole chain: events go into a stream, the real function's zip runs, the lake is read back.

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
    NOZZLE_FUNCTION            the function's program; else the one that the other tests run
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
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT / "build")]

import events  # noqa: E402
import terraform  # noqa: E402
from chain import Chain, Place, Record, batches, make  # noqa: E402
from emulator import aws  # noqa: E402
from lake import Objects, delivered_since, everything, problems  # noqa: E402
from zip_function import zip_function  # noqa: E402

ENVIRONMENT = "dev"
DEPLOYED = os.environ.get("NOZZLE_CHAIN_ENVIRONMENT")
MEGABYTE = 1 << 20
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
    settings = (variables or {}) | {"function_zip": str(function_zip)}
    with aws() as reached:
        try:
            values = terraform.apply(ENVIRONMENT, settings, reached)
        except terraform.OutOfReach as reason:
            left_out.add(str(reason))
            raise unittest.SkipTest(str(reason)) from reason
        chain, made_by_terraform = make(values, reached)
        if not made_by_terraform:
            left_out.add(
                "Terraform's real provider against the emulator. The stand-in, which is used "
                "where the registry is out of reach, makes nothing: the test did, from what "
                "Terraform rendered"
            )
        yield chain


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
    global function_zip, left_out
    left_out = set()
    folder = tempfile.TemporaryDirectory()
    unittest.addModuleCleanup(folder.cleanup)
    function_zip = Path(folder.name, "bootstrap.zip")
    zip_function(function_program(), function_zip)


def tearDownModule() -> None:
    for what in left_out:
        print(f"LEFT OUT: {what}", file=sys.stderr)


def function_program() -> Path:
    """The program that the Rust tests run, built as they build it, so that none is built twice."""
    if named := os.environ.get("NOZZLE_FUNCTION"):
        return Path(named)
    command = ["cargo", "test", "--locked", "--no-run", "--test", "lambda"]
    built = subprocess.run(
        [*command, "--message-format=json"], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    artifacts = (json.loads(line) for line in built.stdout.splitlines())
    [program] = {
        artifact["executable"]
        for artifact in artifacts
        if artifact.get("target", {}).get("name") == "firehose-transform"
        and artifact.get("executable")
        and "bin" in artifact["target"]["kind"]
        and not artifact["profile"]["test"]
    }
    return Path(program)


if __name__ == "__main__":
    unittest.main()
