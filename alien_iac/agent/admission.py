"""Whether a verified release may run here. TUF says that the vendor signed it; this says that it is for this agent."""

import re

from alien_iac.agent.place import Identity
from alien_iac.agent.release import Release
from alien_iac.errors import Untrusted
from alien_iac.protocol.manifest import Manifest
from alien_iac.protocol.wire import Open


class Standing(Open):
    """The highest that the agent has seen of what the vendor signed. It only grows."""

    vendor: str | None = None
    program: str | None = None
    highest: int = 0
    minimum: int = 1
    """Releases below are recalled."""
    ways_back: tuple[int, ...] = ()
    """Sequences that the newest statement of the vendor allows to go back to."""
    config_serial: int = 0


def check_release(release: Release, identity: Identity, agent_version: str) -> None:
    """Raises Untrusted where a release is for somebody else, or for a newer agent."""
    manifest = release.manifest
    if identity.platform not in manifest.platforms:
        raise _refused(manifest, f"is for {', '.join(manifest.platforms) or 'no platform'}, not {identity.platform}")
    if _numbers(manifest.min_agent) > _numbers(agent_version):
        raise _refused(
            manifest, f"needs an agent {manifest.min_agent}, and this is {agent_version}", "update the agent"
        )
    if release.config and release.config.deployment_id != identity.deployment_id:
        raise Untrusted(
            f"the config is that of the deployment {release.config.deployment_id}, not {identity.deployment_id}",
            hint="ask the vendor; nothing was applied",
        )


def raised(standing: Standing, release: Release, enrolled_for: str = "") -> Standing:
    """The standing after a release was verified.

    The first release says whose and which program this is, where enrolment (`enrolled_for`) did not know it yet.
    Raises Untrusted for another vendor, another program, or an older config.
    """
    manifest, config = release.manifest, release.config
    vendor = standing.vendor or manifest.vendor
    program = standing.program or enrolled_for or manifest.program
    if (manifest.vendor, manifest.program) != (vendor, program):
        raise _refused(manifest, f"is {manifest.vendor}'s {manifest.program}, not {vendor}'s {program}")
    if config and config.serial < standing.config_serial:
        raise Untrusted(
            f"the config has serial {config.serial}, older than {standing.config_serial}, which was seen already",
            hint="the control plane is behind, or was tampered with; the current release stays",
        )
    newest = manifest.sequence >= standing.highest
    return Standing(
        vendor=vendor,
        program=program,
        highest=max(standing.highest, manifest.sequence),
        minimum=max(standing.minimum, manifest.minimum_sequence),
        ways_back=manifest.returns_to if newest else standing.ways_back,
        config_serial=max(standing.config_serial, config.serial if config else 0),
    )


def check_sequence(release: Release, standing: Standing, current: Release | None, previous: Release | None) -> None:
    """Raises Untrusted where a release is recalled, or older than the one that runs without a signed way back to it.

    The one way back that needs no word of the vendor is to `previous`, the last that was healthy here before.
    """
    manifest = release.manifest
    if manifest.sequence < standing.minimum:
        raise _refused(manifest, f"is recalled: the vendor's lowest is {standing.minimum}", "release a newer one")
    if current is None or manifest.sequence >= current.sequence or manifest.sequence in standing.ways_back:
        return
    if previous is None or previous.digest != release.digest:
        raise _refused(
            manifest,
            f"is older than {current.version} (sequence {current.sequence}), which runs",
            "only the last healthy release, or one that a newer signed release names in returnsTo, may come back",
        )


def may_return(release: Release | None, standing: Standing) -> Release | None:
    """The release to go back to on failure: none where it was recalled since."""
    return release if release and release.sequence >= standing.minimum else None


def _refused(manifest: Manifest, what: str, hint: str = "ask the vendor; the current release stays") -> Untrusted:
    return Untrusted(f"release {manifest.version} (sequence {manifest.sequence}) {what}", hint=hint)


def _numbers(version: str) -> tuple[int, ...]:
    """A version's leading numbers, for comparing: "0.2.1rc1" -> (0, 2, 1)."""
    return tuple(int(number) for number in re.findall(r"\d+", version.partition("+")[0])[:3])
