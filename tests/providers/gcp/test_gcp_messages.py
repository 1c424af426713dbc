"""Queues and triggers on Google Cloud: one way out, dead letters that are received, tokens of one account."""

import base64
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from providers.gcp.gcp_stacks import run

import alien_iac as alien
from alien_iac_gcp.pubsub import deadline_s

SUBSCRIPTION, TOPIC = "gcp:pubsub/subscription:Subscription", "gcp:pubsub/topic:Topic"
URL = "https://acme-x1y2z3-worker-123456789012.europe-west1.run.app"
STARTER = "acme-x1y2z3-worker--triggers@acme-project.iam.gserviceaccount.com"


def test_a_queue_without_a_function_is_pulled(tmp_path: Path) -> None:
    recording = run(lambda: alien.Queue("jobs", max_receives=7, retention="2d"), tmp_path)
    main = recording.one(SUBSCRIPTION, "jobs").inputs
    assert "pushConfig" not in main
    assert main["deadLetterPolicy"] == {
        "deadLetterTopic": "projects/acme-project/topics/acme-x1y2z3-jobs--dead",
        "maxDeliveryAttempts": 7,
    }
    assert main["messageRetentionDuration"] == "172800s"


def test_no_subscription_is_gone_because_nobody_used_it(tmp_path: Path) -> None:
    recording = run(lambda: alien.Queue("jobs"), tmp_path)
    assert [s.inputs["expirationPolicy"] for s in recording.of_type(SUBSCRIPTION)] == [{"ttl": ""}] * 2


def test_pubsub_may_move_dead_letters_and_no_more(tmp_path: Path) -> None:
    recording = run(lambda: alien.Queue("jobs"), tmp_path)
    agent = "serviceAccount:service-123456789012@gcp-sa-pubsub.iam.gserviceaccount.com"
    given_to = {
        (r.inputs["role"], r.inputs.get("topic") or r.inputs.get("subscription"))
        for r in recording.resources
        if r.inputs.get("member") == agent
    }
    assert given_to == {
        ("roles/pubsub.publisher", "acme-x1y2z3-jobs--dead"),
        ("roles/pubsub.subscriber", "acme-x1y2z3-jobs"),
    }


def program() -> None:
    files, jobs = alien.Storage("files"), alien.Queue("jobs")
    alien.Function(
        "worker",
        source="./worker",
        timeout="5m",
        link=[files.reader()],
        triggers=[jobs.on_message(), files.on_created(), alien.schedule("0 3 1 * 5", timezone="Europe/Paris")],
    )


def test_a_queue_with_a_function_is_pushed_to_it_with_a_token(tmp_path: Path) -> None:
    recording = run(program, tmp_path)
    main = recording.one(SUBSCRIPTION, "jobs")
    assert main.inputs["pushConfig"] == {
        "pushEndpoint": f"{URL}/_alien/queues/jobs",
        "oidcToken": {"serviceAccountEmail": STARTER, "audience": URL},
    }
    assert main.inputs["ackDeadlineSeconds"] == 310
    assert main.protect
    assert len([s for s in recording.of_type(SUBSCRIPTION) if s.inputs["topic"] == "acme-x1y2z3-jobs"]) == 1


def test_new_objects_come_over_a_topic_that_only_cloud_storage_writes_to(tmp_path: Path) -> None:
    recording = run(program, tmp_path)
    notices = recording.one("gcp:storage/notification:Notification", "worker-files-notices").inputs
    assert notices["topic"] == "projects/acme-project/topics/acme-x1y2z3-worker--files"
    assert notices["eventTypes"] == ["OBJECT_FINALIZE"]
    push = recording.one(SUBSCRIPTION, "worker-files").inputs["pushConfig"]
    assert push["pushEndpoint"] == f"{URL}/_alien/storages/files"
    assert "worker-files-dead" in [t.name for t in recording.of_type(TOPIC)]
    writers = [
        r.inputs["member"]
        for r in recording.resources
        if r.inputs.get("topic") == "acme-x1y2z3-worker--files" and "role" in r.inputs
    ]
    assert writers == ["serviceAccount:service-123456789012@gs-project-accounts.iam.gserviceaccount.com"]


def test_a_line_with_both_fields_for_days_becomes_a_job_for_each(tmp_path: Path) -> None:
    recording = run(program, tmp_path)
    jobs = recording.of_type("gcp:cloudscheduler/job:Job")
    assert sorted(j.inputs["schedule"] for j in jobs) == ["0 3 * * 5", "0 3 1 * *"]
    for job in jobs:
        target = job.inputs["httpTarget"]
        assert target["oidcToken"] == {"serviceAccountEmail": STARTER, "audience": URL}
        assert json.loads(base64.b64decode(target["body"]))["cron"] == "0 3 1 * 5"
        assert job.inputs["timeZone"] == "Europe/Paris"
        assert job.inputs["attemptDeadline"] == "300s"


@given(st.lists(st.integers(1, 3600)), st.integers(0, 60), st.integers(10, 600))
def test_a_message_stays_as_long_as_the_slowest_needs_within_what_pubsub_allows(
    timeouts: list[int], grace: int, otherwise: int
) -> None:
    found = deadline_s(timeouts, grace, otherwise)
    assert 10 <= found <= 600
    assert all(found >= min(600, timeout) for timeout in timeouts)


@pytest.mark.parametrize("retention", ["1m", "10m"])
def test_retention_is_never_shorter_than_pubsub_keeps(tmp_path: Path, retention: str) -> None:
    recording = run(lambda: alien.Queue("jobs", retention=retention), tmp_path)
    assert recording.one(SUBSCRIPTION, "jobs").inputs["messageRetentionDuration"] == "600s"
    assert any("[GCP_ROUNDED]" in m for m in recording.messages) is (retention == "1m")
