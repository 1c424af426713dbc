"""A second receiver of OTLP: `python otlp_receiver.py FILE`, a process that knows nothing of this project.

It unpacks what it is sent with the public stubs, and writes one line of JSON for each request to FILE. The first
answers have the statuses that it reads from FILE.statuses.
"""

import gzip
import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

KINDS = {
    "/v1/logs": ExportLogsServiceRequest,
    "/v1/metrics": ExportMetricsServiceRequest,
    "/v1/traces": ExportTraceServiceRequest,
}


class Handler(BaseHTTPRequestHandler):
    file: Path

    def do_POST(self) -> None:
        length = int(self.headers["content-length"])
        body = self.rfile.read(length)
        if len(body) < length:
            return  # the sender was killed in the middle
        statuses = self.file.with_suffix(".statuses")
        left = statuses.read_text().split() if statuses.exists() else []
        status = int(left[0]) if left else 200
        statuses.write_text(" ".join(left[1:]))
        request = KINDS[self.path]()
        request.ParseFromString(gzip.decompress(body))
        headers = {name.lower(): value for name, value in self.headers.items()}
        told = {"path": self.path, "status": status, "headers": headers, "body": MessageToDict(request)}
        with self.file.open("a") as file:
            file.write(json.dumps(told) + "\n")
        self.send_response(status)
        if status in {301, 307}:
            self.send_header("location", "http://127.0.0.1:1/elsewhere")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def main() -> None:
    Handler.file = Path(sys.argv[1])
    server = HTTPServer(("127.0.0.1", int(sys.argv[2]) if len(sys.argv) > 2 else 0), Handler)
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
