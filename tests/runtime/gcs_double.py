"""A double of Cloud Storage, for tests, over its XML interface, which is the one that `obstore` speaks.

No emulator from a package index speaks it. Buckets exist when they are first named. Left out: access lists, versions,
metadata but the ETag, checksums, conditions other than "is not there yet", and whether a signature is right.
"""

from __future__ import annotations

import hashlib
import threading
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from xml.sax.saxutils import escape

from runtime.loopback import Request, Response

PAGE = 1000
_DATE = "%a, %d %b %Y %H:%M:%S GMT"


class CloudStorage:
    """All buckets, in memory."""

    def __init__(self) -> None:
        self._objects: dict[tuple[str, str], tuple[bytes, datetime]] = {}
        self._uploads: dict[str, dict[int, bytes]] = {}
        self._lock = threading.Lock()

    def answer(self, request: Request) -> Response:
        """One request, if it is authorised at all: by a token, or by a signature in its query."""
        if "authorization" not in request.headers and "X-Goog-Signature" not in request.query:
            return _problem(401, "AuthenticationRequired")
        bucket, _, key = request.path[1:].partition("/")
        with self._lock:
            if not key:
                return self._list(bucket, request)
            return self._method(request)(bucket, key, request)

    def _method(self, request: Request) -> Callable[[str, str, Request], Response]:
        if request.method == "POST":
            return self._begin if "uploads" in request.query else self._complete
        if "uploadId" in request.query:
            return self._abort if request.method == "DELETE" else self._part
        return {"PUT": self._put, "DELETE": self._delete}.get(request.method, self._get)

    def _get(self, bucket: str, key: str, request: Request) -> Response:
        found = self._objects.get((bucket, key))
        if found is None:
            return _problem(404, "NoSuchKey")
        content, changed = found
        headers = {"ETag": _etag(content), "Last-Modified": changed.strftime(_DATE), "Accept-Ranges": "bytes"}
        if request.method == "HEAD":
            return Response(200, b"", {**headers, "Content-Length": str(len(content))})
        spoken = request.headers.get("range")
        if not spoken:
            return Response(200, content, headers)
        first, _, last = spoken.removeprefix("bytes=").partition("-")
        part = content[int(first) : int(last) + 1 if last else None]
        told = f"bytes {first}-{int(first) + len(part) - 1}/{len(content)}"
        return Response(206, part, {**headers, "Content-Range": told})

    def _put(self, bucket: str, key: str, request: Request) -> Response:
        if request.headers.get("x-goog-if-generation-match") == "0" and (bucket, key) in self._objects:
            return _problem(412, "PreconditionFailed")
        self._objects[bucket, key] = (request.body, datetime.now(UTC))
        return Response(200, b"", {"ETag": _etag(request.body)})

    def _delete(self, bucket: str, key: str, request: Request) -> Response:
        del request
        return Response(204) if self._objects.pop((bucket, key), None) else _problem(404, "NoSuchKey")

    def _begin(self, bucket: str, key: str, request: Request) -> Response:
        del bucket, key, request
        upload = uuid.uuid4().hex
        self._uploads[upload] = {}
        return _xml(f"<InitiateMultipartUploadResult><UploadId>{upload}</UploadId></InitiateMultipartUploadResult>")

    def _part(self, bucket: str, key: str, request: Request) -> Response:
        del bucket, key
        self._uploads[request.query["uploadId"]][int(request.query["partNumber"])] = request.body
        return Response(200, b"", {"ETag": _etag(request.body)})

    def _complete(self, bucket: str, key: str, request: Request) -> Response:
        parts = self._uploads.pop(request.query["uploadId"])
        content = b"".join(parts[number] for number in sorted(parts))
        self._put(bucket, key, Request("PUT", request.path, {}, {}, content))
        return _xml(f"<CompleteMultipartUploadResult><ETag>{_etag(content)}</ETag></CompleteMultipartUploadResult>")

    def _abort(self, bucket: str, key: str, request: Request) -> Response:
        del bucket, key
        self._uploads.pop(request.query["uploadId"], None)
        return Response(204)

    def _list(self, bucket: str, request: Request) -> Response:
        prefix, after = request.query.get("prefix", ""), request.query.get("continuation-token", "")
        keys = sorted(key for of, key in self._objects if of == bucket and key.startswith(prefix) and key > after)
        page, more = keys[:PAGE], len(keys) > PAGE
        contents = "".join(self._listed(bucket, key) for key in page)
        token = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if more else ""
        truncated = f"<IsTruncated>{str(more).lower()}</IsTruncated>"
        return _xml(f"<ListBucketResult><Name>{bucket}</Name>{truncated}{token}{contents}</ListBucketResult>")

    def _listed(self, bucket: str, key: str) -> str:
        content, changed = self._objects[bucket, key]
        at = changed.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        facts = f"<LastModified>{at}</LastModified><ETag>{escape(_etag(content))}</ETag><Size>{len(content)}</Size>"
        return f"<Contents><Key>{escape(key)}</Key>{facts}</Contents>"


def _etag(content: bytes) -> str:
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def _xml(text: str) -> Response:
    return Response(200, f'<?xml version="1.0" encoding="UTF-8"?>{text}'.encode(), {"Content-Type": "application/xml"})


def _problem(status: int, code: str) -> Response:
    return Response(status, f"<Error><Code>{code}</Code></Error>".encode(), {"Content-Type": "application/xml"})
