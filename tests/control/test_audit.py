"""The audit log: every deed is there with who and why, and any change of it shows."""

import sqlite3
from pathlib import Path

import pytest
from control.control_plane import Agent, Plane


async def test_deeds_are_logged_with_their_doer(plane: Plane, agent: Agent) -> None:
    await plane.vendor_release("1.0", 1)
    await plane.ok("PUT", f"/deployments/{agent.deployment_id}/pin", {"release": "1.0", "reason": "incident 7"})
    entries = (await plane.ok("GET", "/audit"))["items"]
    told = [(entry["actor"], entry["action"], entry["subject"]) for entry in reversed(entries)]
    assert told == [
        ("admin", "tuf.root", "root 1"),
        ("admin", "deployment.create", agent.deployment_id),
        (f"agent:{agent.deployment_id}", "agent.enrol", agent.deployment_id),
        ("admin", "release.publish", "1.0"),
        ("admin", "deployment.pin", agent.deployment_id),
    ]
    assert entries[0]["reason"] == "incident 7"
    assert await plane.ok("GET", "/audit/verify") == {"entries": 5, "whole": True}


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ("UPDATE audit SET reason = 'x' WHERE number = 2", 2),
        ("DELETE FROM audit WHERE number = 2", 2),
        ("UPDATE audit SET hash = 'x' WHERE number = 3", 3),
        ("UPDATE audit SET number = 9 WHERE number = 3", 3),
    ],
)
async def test_a_change_behind_our_back_shows(plane: Plane, tmp_path: Path, change: str, broken: int) -> None:
    for number in range(3):
        await plane.ok("POST", "/enrolment-codes", {"customer": f"c{number}", "platform": "local"})
    assert (await plane.ok("GET", "/audit/verify"))["whole"]
    database = sqlite3.connect(tmp_path / "control.sqlite")
    for verb in ("update", "delete"):
        database.execute(f"DROP TRIGGER audit_no_{verb}")
    database.execute(change)
    database.commit()
    database.close()
    found = await plane.ok("GET", "/audit/verify")
    assert (found["whole"], found["brokenAt"]) == (False, broken)


async def test_a_list_goes_page_by_page(plane: Plane) -> None:
    for number in range(4):
        await plane.ok("POST", "/enrolment-codes", {"customer": f"c{number}", "platform": "local"})
    first = await plane.ok("GET", "/audit", params={"limit": 3})
    second = await plane.ok("GET", "/audit", params={"limit": 3, "cursor": first["next"]})
    assert [entry["number"] for entry in first["items"] + second["items"]] == [5, 4, 3, 2, 1]
    assert "next" not in second
