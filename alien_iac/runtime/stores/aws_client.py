"""The door to botocore: clients for AWS's services, and their errors as ours, for every AWS store in one place.

botocore is used without boto3 on top: that would be slower to import, and nothing here needs it. Credentials, and
endpoints other than AWS's own (`AWS_ENDPOINT_URL`, `AWS_ENDPOINT_URL_SQS`), are found as every AWS SDK finds them.
"""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import botocore.config
import botocore.exceptions
import botocore.session

from alien_iac.errors import (
    AlienError,
    BindingInvalid,
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    Unauthorized,
    Unavailable,
)

CONNECTIONS = 32
"""As many as there are threads that async callers can keep busy."""
CONNECT_SECONDS, READ_SECONDS = 5, 30
"""A read waits for a long poll of a queue, which takes 20 s."""
ATTEMPTS = 4
"""Seven seconds at most lie between them, in all; a handler has more time than that as a rule."""

_OF_CODE: dict[type[AlienError], frozenset[str]] = {
    NotFound: frozenset({"ResourceNotFoundException", "AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"}),
    Forbidden: frozenset(
        {"AccessDenied", "AccessDeniedException", "KMS.AccessDeniedException", "KmsAccessDenied", "DecryptionFailure"}
    ),
    Unauthorized: frozenset(
        {
            "ExpiredToken",
            "ExpiredTokenException",
            "InvalidAccessKeyId",
            "InvalidClientTokenId",
            "InvalidSignatureException",
            "MissingAuthenticationToken",
            "SignatureDoesNotMatch",
            "UnrecognizedClientException",
        }
    ),
    Conflict: frozenset({"ReceiptHandleIsInvalid", "MessageNotInflight", "AWS.SimpleQueueService.MessageNotInflight"}),
    InvalidInput: frozenset({"InvalidMessageContents"}),
}
_WITHOUT_CREDENTIALS = (
    botocore.exceptions.NoCredentialsError,
    botocore.exceptions.PartialCredentialsError,
    botocore.exceptions.CredentialRetrievalError,
)
_HINTS: dict[type[AlienError], str] = {
    Forbidden: "the link may be for less than this, such as `reader()` or `sender()`",
}
_one_at_a_time = threading.Lock()  # a session makes one client at a time; the clients are for many threads


def client(
    service: str,
    region: str | None,
    resource_id: str,
    *,
    read_seconds: float = READ_SECONDS,
    attempts: int = ATTEMPTS,
) -> Any:
    """A client for one service. BindingInvalid where neither the binding nor the environment says which region.

    `attempts`: 1 for what must not happen twice, such as a call that may only be slow.
    """
    found = region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if not found:
        raise BindingInvalid(f'"{resource_id}": the region is not known', hint="AWS_REGION says it")
    config = botocore.config.Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=read_seconds,
        max_pool_connections=CONNECTIONS,
        retries={"mode": "standard", "total_max_attempts": attempts},
    )
    with _one_at_a_time:
        return _session().create_client(service, region_name=found, config=config)


@functools.cache
def _session() -> Any:
    """One for the process: it has read the services' descriptions, and holds the credentials."""
    return botocore.session.get_session()


@contextmanager
def translated(about: str) -> Iterator[None]:
    """What AWS answers, as our errors; they hold its word for what went wrong, and none of its text."""
    try:
        yield
    except botocore.exceptions.ClientError as error:
        raise _error(about, code(error)) from error
    except _WITHOUT_CREDENTIALS as error:
        raise Unauthorized(f"{about}: there are no credentials ({type(error).__name__})") from error
    except botocore.exceptions.BotoCoreError as error:
        raise Unavailable(f"{about}: AWS did not answer ({type(error).__name__})") from error


def code(error: botocore.exceptions.ClientError) -> str:
    """AWS's name for what went wrong."""
    return str(error.response.get("Error", {}).get("Code", "no code"))


def _error(about: str, word: str) -> AlienError:
    kind = next((kind for kind, codes in _OF_CODE.items() if word in codes), Unavailable)
    return kind(f"{about}: AWS answered {word}", hint=_HINTS.get(kind))
