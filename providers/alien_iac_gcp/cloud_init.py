"""What a machine does when it starts: mount its disks, and keep one container running. Pure text.

Container-Optimized OS is told by cloud-init; Google's own agent for containers in instance metadata is going away.
Everything that a value may hold is quoted or encoded here, and variables are passed on by name.
"""

import base64
import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

START, UNIT, HOME = "/etc/alien/start.sh", "/etc/systemd/system/alien.service", "/var/lib/alien"
_STOP_S = 30
_EMPTY = 2
"""What `blkid` answers where it finds nothing on a disk; any other trouble must not look like that."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """The container of one machine."""

    image: str
    registry: str
    """The registry's host, to which the machine shows its own account."""
    env: Mapping[str, str]
    command: Sequence[str]
    """What stands in place of the image's own command; empty for that."""
    disks: Mapping[str, str]
    """Device name to the path in the container."""
    port: int | None


def user_data(program: Program) -> str:
    """The machine's `user-data`. JSON is YAML, and leaves nothing to quote."""
    files = [_file(START, _script(program), "0700"), _file(UNIT, _unit(program), "0644")]
    config = {"write_files": files, "runcmd": ["systemctl daemon-reload", "systemctl start alien.service"]}
    return "#cloud-config\n" + json.dumps(config, indent=1, sort_keys=True) + "\n"


def _file(path: str, content: str, permissions: str) -> dict[str, str]:
    encoded = base64.b64encode(content.encode()).decode()
    return {"path": path, "permissions": permissions, "owner": "root", "encoding": "b64", "content": encoded}


def _unit(program: Program) -> str:
    return f"""\
[Unit]
Description=The workload of this machine
Wants=network-online.target docker.service
After=network-online.target docker.service

[Service]
Environment=HOME={HOME}
ExecStartPre=/bin/mkdir -p {HOME}
ExecStartPre=/usr/bin/docker-credential-gcr configure-docker --registries={program.registry}
ExecStart=/bin/bash {START}
ExecStop=/usr/bin/docker stop --time={_STOP_S} alien
TimeoutStopSec={_STOP_S + 15}
Restart=always
RestartSec=5
"""


def _script(program: Program) -> str:
    lines = ["set -eu"]
    for device in sorted(program.disks):
        lines += _mounted(device)
    if program.port is not None:
        # The image's firewall lets nothing in by itself; the network's says who gets so far.
        rule = f"INPUT -p tcp --dport {program.port} -j ACCEPT"
        lines.append(f"iptables -w -C {rule} 2>/dev/null || iptables -w -A {rule}")
    image = shlex.quote(program.image)
    lines += [
        "docker rm --force alien >/dev/null 2>&1 || true",
        f"docker image inspect {image} >/dev/null 2>&1 || docker pull --quiet {image}",
        # Last of all: they are the workload's, whatever their names would mean to the commands above.
        *(f"export {name}={shlex.quote(value)}" for name, value in sorted(program.env.items())),
        f"exec {_docker(program)}",
    ]
    return "\n".join(lines) + "\n"


def _mounted(device: str) -> list[str]:
    """A disk that is new gets a file system, one that has grown is filled, and one with data is left as it is."""
    block, folder = shlex.quote(f"/dev/disk/by-id/google-{device}"), shlex.quote(_folder(device))
    return [
        f"mkdir -p {folder}",
        f"if ! mountpoint -q {folder}; then",
        f"  [ -b {block} ] || exit 1",
        "  probed=0",
        f"  blkid -p {block} >/dev/null || probed=$?",
        f"  if [ $probed -eq {_EMPTY} ]; then mkfs.ext4 -q -m 0 {block}; fi",
        f"  fsck.ext4 -p {block} || [ $? -le 1 ]",
        f"  mount -o discard,nosuid,nodev {block} {folder}",
        f"  resize2fs {block}",
        "fi",
    ]


def _folder(device: str) -> str:
    return f"/mnt/disks/{device}"


def _docker(program: Program) -> str:
    """Said so that no variable of the workload's (`PATH`, `HOME`, `DOCKER_HOST`) has a say in it."""
    words = ["/usr/bin/docker", f"--config={HOME}/.docker", "--host=unix:///var/run/docker.sock", "run", "--rm"]
    words += ["--pull=never", "--name=alien", "--network=host", "--log-driver=json-file", "--log-opt=max-size=10m"]
    words += [f"--env={name}" for name in sorted(program.env)]
    words += [f"--volume={_folder(device)}:{path}" for device, path in sorted(program.disks.items())]
    return shlex.join([*words, program.image, *program.command])
