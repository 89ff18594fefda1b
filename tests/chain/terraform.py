"""What Terraform says the chain is: its rendered values, and nothing that is written a second time.

The stand-in for the provider renders them and makes nothing. With the real provider the same apply
makes the chain in the emulator itself, since all it is given of AWS is the emulator's address; on a
machine that cannot fetch that provider this is left out, and said.
"""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
STAND_IN = ROOT.parent / "shared/terraform-schema/terraform"
# Not called TERRAFORM: the stand-in's wrapper takes that for the program it wraps.
FOUND = str(STAND_IN) if STAND_IN.exists() else "terraform"
PROGRAM = os.environ.get("NOZZLE_TERRAFORM") or FOUND

OVERRIDE = """
terraform {
  backend "local" {}
}

provider "aws" {
  s3_use_path_style           = true
  skip_credentials_validation = true
}
"""

# The resources of one environment, by what they are here.
ADDRESSES = {
    "stream": "module.delivery[0].aws_kinesis_firehose_delivery_stream.events",
    "source": "aws_kinesis_stream.source[0]",
    "function": "module.transform[0].aws_lambda_function.function",
    "alias": "module.transform[0].aws_lambda_alias.function",
    "table": 'module.claims["lake"].aws_dynamodb_table.claims',
    "bucket": "module.lake_bucket.aws_s3_bucket.bucket",
    "processor_table": "module.event_processor[0].aws_dynamodb_table.counters",
    "processor_claims": 'module.claims["event-processor"].aws_dynamodb_table.claims',
    "processor_archive": "module.event_processor[0].module.archive.aws_glue_catalog_table.table",
    "processor_queue": "module.event_processor[0].module.reader.aws_sqs_queue.dead_letters",
    "processor_function": (
        "module.event_processor[0].module.reader.module.function.aws_lambda_function.function"
    ),
    "processor_alias": (
        "module.event_processor[0].module.reader.module.function.aws_lambda_alias.function"
    ),
    "processor_mapping": (
        'module.event_processor[0].module.reader.aws_lambda_event_source_mapping.stream["source"]'
    ),
    "alarms": "aws_sns_topic.alarms",
    "star_packets": 'module.star_schema[0].module.buckets["ingestion"].aws_s3_bucket.bucket',
    "star_files": 'module.star_schema[0].module.buckets["processed"].aws_s3_bucket.bucket',
    "star_function": "module.star_schema[0].module.function.aws_lambda_function.function",
    "star_alias": "module.star_schema[0].module.function.aws_lambda_alias.function",
    "star_calls": "module.star_schema[0].aws_lambda_function_event_invoke_config.calls",
    "log_table": "module.event_log[0].aws_dynamodb_table.events",
    "log_queue": "module.event_log[0].module.reader.aws_sqs_queue.dead_letters",
    "log_function": "module.event_log[0].module.reader.module.function.aws_lambda_function.function",
    "log_alias": "module.event_log[0].module.reader.module.function.aws_lambda_alias.function",
    "log_mapping": (
        'module.event_log[0].module.reader.aws_lambda_event_source_mapping.stream["source"]'
    ),
}

Values = dict[str, dict]


def apply(environment: str, variables: dict, reached: dict[str, str]) -> Values:
    """Applies a copy of the configuration against the emulator; gives the rendered resources."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "terraform")
        leave = shutil.ignore_patterns(".terraform*", "terraform.tfstate*", "backend.tf")
        shutil.copytree(ROOT / "terraform", copy, ignore=leave)
        (copy / "chain_override.tf").write_text(OVERRIDE)
        values = [f"-var={name}={as_text(value)}" for name, value in variables.items()]
        initialise(copy, reached)
        run(copy, reached, "workspace", "new", environment)
        run(
            copy, reached, "apply", "-input=false", "-auto-approve",
            f"-var-file=environments/{environment}.tfvars", *values,
        )  # fmt: skip
        return resources(json.loads(run(copy, reached, "show", "-json")))


def initialise(copy: Path, reached: dict[str, str]) -> None:
    try:
        run(copy, reached, "init", "-input=false")
    except RuntimeError as failure:
        if "Failed to query available provider packages" not in str(failure):
            raise
        raise OutOfReach(
            f"no chain without Terraform's provider: `{PROGRAM} init` cannot fetch it, and its "
            f"stand-in is not at {STAND_IN} (NOZZLE_TERRAFORM names another place)"
        ) from failure


class OutOfReach(Exception):
    pass


def as_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def resources(state: dict) -> Values:
    values = by_address(state["values"]["root_module"])
    return {name: values[address] for name, address in ADDRESSES.items() if address in values}


def by_address(module: dict) -> Values:
    values = {one["address"]: one["values"] for one in module.get("resources", [])}
    for child in module.get("child_modules", []):
        values |= by_address(child)
    return values


def outputs(environment: str) -> dict[str, object]:
    """Of an environment that is deployed, where its state lies."""
    settings = {name: value for name, value in os.environ.items() if name != "TERRAFORM"}
    text = run(ROOT / "terraform", settings | {"TF_WORKSPACE": environment}, "output", "-json")
    return {name: output["value"] for name, output in json.loads(text).items()}


def run(folder: Path, settings: dict[str, str], *arguments: str) -> str:
    ran = subprocess.run(
        [PROGRAM, f"-chdir={folder}", *arguments], env=settings, capture_output=True, text=True
    )
    if ran.returncode:
        raise RuntimeError(f"terraform {' '.join(arguments)} failed:\n{ran.stdout}{ran.stderr}")
    return ran.stdout
