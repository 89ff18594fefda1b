"""AWS on this machine: ministack on a free port, in a folder of its own, gone when the test is."""

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ACCOUNT = "123456789012"

# Its Lambda answers in two writes, of which TCP holds the second back for 40 ms of each call.
START = """
import socketserver
socketserver.StreamRequestHandler.disable_nagle_algorithm = True
from ministack.app import main
main()
"""

# Kills it when this process is gone too, however it ends: then its standard input ends.
KEEPER = '"$@" & emulator=$!; read -r _; kill -9 $emulator; wait'


@contextmanager
def aws() -> Iterator[dict[str, str]]:
    """Gives the environment in which AWS's tools talk to the emulator and to nobody else."""
    # The table is in a second one: the first stands still while a Kinesis stream's records are in
    # the function, which waits for the table.
    with ministack({}) as table, ministack({"AWS_ENDPOINT_URL_DYNAMODB": table}) as rest:
        with tempfile.TemporaryDirectory() as folder:
            yield isolated(folder) | {"AWS_ENDPOINT_URL": rest, "AWS_ENDPOINT_URL_DYNAMODB": table}


@contextmanager
def ministack(settings: dict[str, str]) -> Iterator[str]:
    """Gives its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as folder:
        settings = isolated(folder) | settings | {
            "AWS_ENDPOINT_URL": address,
            "GATEWAY_PORT": str(port),
            "BIND_HOST": "127.0.0.1",
            "LOG_LEVEL": "ERROR",
            "TMPDIR": folder,
        }  # fmt: skip
        keeper = subprocess.Popen(
            ["sh", "-c", KEEPER, "keeper", sys.executable, "-c", START],
            cwd=folder, env=settings,
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            wait_until_it_answers(address)
            yield address
        finally:
            keeper.stdin.close()
            keeper.wait()


def isolated(folder: str) -> dict[str, str]:
    """What is set for a real account, or for another Terraform, must not get in."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "TF_", "TERRAFORM"))
    }
    return kept | {
        # ministack takes an access key of twelve digits for the account.
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_CONFIG_FILE": f"{folder}/no-config",
        "AWS_SHARED_CREDENTIALS_FILE": f"{folder}/no-credentials",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def wait_until_it_answers(endpoint: str) -> None:
    for attempts_left in range(300, -1, -1):
        try:
            urllib.request.urlopen(f"{endpoint}/_ministack/health", timeout=5).close()
            return
        except OSError:
            if not attempts_left:
                raise
            time.sleep(0.1)
