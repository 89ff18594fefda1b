"""Lambda for one function, and the S3 and SSM that it asks: the runtime API, buckets and parameters,
no more of each than the star-schema loader needs."""

import json
import os
import queue
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, unquote, urlsplit

PIECE_BYTES = 1 << 20
DEADLINE_SECONDS = 900


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """What is started here runs on this core alone."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class World:
    """A packet in the ingestion bucket, an empty processed bucket, and one invocation."""

    def __init__(self, packet: Path) -> None:
        self.packet = packet
        self.objects: dict[str, bytes] = {}
        self.parameters: dict[str, str] = {}
        self.invocations: queue.Queue[bytes] = queue.Queue()
        self.answers: queue.Queue[bytes] = queue.Queue()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"world": self}))
        self.server.daemon_threads = True
        Thread(target=self.server.serve_forever, daemon=True).start()

    def run(self, program: Path, core: int) -> dict[str, float]:
        """The program's one invocation, from its start on, and what that took."""
        address = f"127.0.0.1:{self.server.server_port}"
        environment = {
            "AWS_LAMBDA_RUNTIME_API": address,
            "AWS_ENDPOINT_URL": f"http://{address}",
            "AWS_LAMBDA_FUNCTION_NAME": "star-schema",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "INGESTION_BUCKET": "packets",
            "PROCESSED_BUCKET": "processed",
        }
        started = time.perf_counter()
        with on_core(core):
            process = subprocess.Popen([program], env=environment, stdout=subprocess.DEVNULL)
        self.invocations.put(json.dumps({"packets": [{"table": "sales_order", "id": 1}]}).encode())
        try:
            answer = json.loads(self.answers.get(timeout=DEADLINE_SECONDS))
            wall = time.perf_counter() - started
            assert [packet["status"] for packet in answer.get("packets", [])] == ["loaded"], answer
            status = Path(f"/proc/{process.pid}/status").read_text()
            peak = int(re.search(r"VmHWM:\s+(\d+)", status)[1]) * 1024
            return {"processor": processor_seconds(process.pid), "wall": wall, "peak": peak}
        finally:
            process.kill()
            process.wait()
            self.server.shutdown()

    def fact(self) -> bytes:
        return next(body for key, body in self.objects.items() if key.startswith("fact_sales_order/"))


def processor_seconds(process: int) -> float:
    times = Path(f"/proc/{process}/task").glob("*/schedstat")
    return sum(int(path.read_text().split()[0]) for path in times) / 1e9


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    world: World

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        asked = parse_qs(url.query, keep_blank_values=True)
        if url.path.endswith("/invocation/next"):
            return self.invoke()
        if "list-type" in asked:
            return self.list(url.path.strip("/"), asked)
        bucket, _, key = unquote(url.path).strip("/").partition("/")
        if bucket == "packets":
            return self.send_packet()
        body = self.world.objects.get(key)
        if body is None:
            return self.reply(404, b"<Error><Code>NoSuchKey</Code></Error>")
        self.reply(200, body, {"ETag": '"1"'})

    do_HEAD = do_GET

    def do_PUT(self) -> None:
        url = urlsplit(self.path)
        key = unquote(url.path).strip("/").partition("/")[2]
        body = self.body()
        if "partNumber" in url.query:
            self.world.objects[key] = self.world.objects.get(key, b"") + body
        else:
            self.world.objects[key] = body
        self.reply(200, b"", {"ETag": '"1"'})

    def do_POST(self) -> None:
        body, url = self.body(), urlsplit(self.path)
        if url.path.endswith(("/response", "/error")):
            self.reply(202)
            self.world.answers.put(body)
        elif "x-amz-target" in self.headers:
            self.parameter(json.loads(body))
        elif "uploadId" in url.query:
            self.reply(200, b"<CompleteMultipartUploadResult><ETag>1</ETag></CompleteMultipartUploadResult>")
        else:
            self.reply(
                200, b"<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>"
            )

    def invoke(self) -> None:
        body = self.world.invocations.get()
        deadline = int((time.time() + DEADLINE_SECONDS) * 1000)
        headers = {
            "Lambda-Runtime-Aws-Request-Id": "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
            "Lambda-Runtime-Deadline-Ms": str(deadline),
            "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:123456789012:function:star-schema",
            "Content-Type": "application/json",
        }
        self.reply(200, body, headers)

    def list(self, bucket: str, asked: dict[str, list[str]]) -> None:
        prefix = asked.get("prefix", [""])[0]
        keys = ["2024/11/20/sales_order_1_x.jsonl"] if bucket == "packets" else sorted(self.world.objects)
        contents = "".join(
            f"<Contents><Key>{key}</Key><Size>1</Size></Contents>" for key in keys if key.startswith(prefix)
        )
        text = f"<ListBucketResult><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>"
        self.reply(200, text.encode())

    def send_packet(self) -> None:
        self.send_response(200)
        self.send_header("ETag", '"0123456789abcdef0123456789abcdef"')
        self.send_header("Content-Length", str(self.world.packet.stat().st_size))
        self.end_headers()
        if self.command == "HEAD":
            return
        with self.world.packet.open("rb") as file:
            while piece := file.read(PIECE_BYTES):
                self.wfile.write(piece)

    def parameter(self, asked: dict[str, str]) -> None:
        parameters, name = self.world.parameters, asked["Name"]
        if "Value" in asked:
            parameters[name] = asked["Value"]
            self.reply(200, b'{"Version":1}')
        elif name in parameters:
            self.reply(200, json.dumps({"Parameter": {"Value": parameters[name], "Version": 1}}).encode())
        else:
            self.reply(400, b'{"__type":"ParameterNotFound"}')

    def body(self) -> bytes:
        if "aws-chunked" not in self.headers.get("Content-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        whole = b""
        while length := int(self.rfile.readline().split(b";")[0], 16):
            whole += self.rfile.read(length)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return whole

    def reply(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass
