"""The audit log: every deed is there with who and why, and any change of it shows."""

import sqlite3
from pathlib import Path

import pytest
from control.control_plane import Agent, Plane, plane_in
from control.control_vendor import Json


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
    found = await plane.ok("GET", "/audit/verify")
    assert (found["entries"], found["whole"], len(found["head"])) == (5, True, 64)


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ("UPDATE audit SET reason = 'x' WHERE number = 2", 2),
        ("DELETE FROM audit WHERE number = 2", 2),
        ("UPDATE audit SET hash = 'x' WHERE number = 3", 3),
        ("UPDATE audit SET number = 9 WHERE number = 3", 3),
    ],
)
async def test_a_change_behind_our_back_shows(tmp_path: Path, change: str, broken: int) -> None:
    async with plane_in(tmp_path) as plane:
        await _noted(plane)
        _behind_our_back(tmp_path, change)
        found = await plane.ok("GET", "/audit/verify")
        assert (found["whole"], found["brokenAt"]) == (False, broken)


async def test_a_list_goes_page_by_page(plane: Plane) -> None:
    for number in range(4):
        await plane.ok("POST", "/enrolment-codes", {"customer": f"c{number}", "platform": "local"})
    first = await plane.ok("GET", "/audit", params={"limit": 3})
    second = await plane.ok("GET", "/audit", params={"limit": 3, "cursor": first["next"]})
    assert [entry["number"] for entry in first["items"] + second["items"]] == [5, 4, 3, 2, 1]
    assert "next" not in second


def _behind_our_back(folder: Path, *changes: str) -> None:
    database = sqlite3.connect(folder / "control.sqlite")
    for verb in ("update", "delete"):
        database.execute(f"DROP TRIGGER IF EXISTS audit_no_{verb}")
    for change in changes:
        database.execute(change)
    database.commit()
    database.close()


async def _noted(plane: Plane) -> dict[str, Json]:
    for number in range(3):
        await plane.ok("POST", "/enrolment-codes", {"customer": f"c{number}", "platform": "local"})
    found = await plane.ok("GET", "/audit/verify")
    return {"number": found["entries"], "hash": found["head"]}


async def test_entries_that_changed_places_show(tmp_path: Path) -> None:
    async with plane_in(tmp_path) as plane:
        await _noted(plane)
        swap = (
            "SET number = 90 WHERE number = 2",
            "SET number = 2 WHERE number = 3",
            "SET number = 3 WHERE number = 90",
        )
        _behind_our_back(tmp_path, *(f"UPDATE audit {change}" for change in swap))
        found = await plane.ok("GET", "/audit/verify")
        assert (found["whole"], found["brokenAt"]) == (False, 2)


async def test_a_log_that_was_cut_shows_by_what_was_noted(tmp_path: Path) -> None:
    async with plane_in(tmp_path) as plane:
        noted = await _noted(plane)
        assert (await plane.ok("GET", "/audit/verify", params=noted))["whole"]
        await plane.ok("POST", "/enrolment-codes", {"customer": "later", "platform": "local"})
        assert (await plane.ok("GET", "/audit/verify", params=noted))["whole"]
        _behind_our_back(tmp_path, "DELETE FROM audit WHERE number >= 4")
        assert (await plane.ok("GET", "/audit/verify"))["whole"], "which is why a head is noted elsewhere"
        found = await plane.ok("GET", "/audit/verify", params=noted)
        assert (found["whole"], found["brokenAt"]) == (False, 4)


async def test_a_log_that_was_cut_and_went_on_shows_by_what_was_noted(tmp_path: Path) -> None:
    async with plane_in(tmp_path) as plane:
        noted = await _noted(plane)
        _behind_our_back(tmp_path, "DELETE FROM audit WHERE number >= 3")
        await _noted(plane)
        assert (await plane.ok("GET", "/audit/verify"))["whole"]
        found = await plane.ok("GET", "/audit/verify", params=noted)
        assert (found["whole"], found["brokenAt"]) == (False, noted["number"])
