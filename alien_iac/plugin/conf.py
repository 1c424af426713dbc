"""The supervisor's configuration as text: names, limits and places only; values of a process never pass through it.

Paths are relative to the supervisor's folder, since the format gives a meaning to characters that a path may have.
"""

from collections.abc import Sequence

from alien_iac.plugin.definition import Definition
from alien_iac.plugin.keeper import SPARE_S

FILE = "supervisord.conf"
LOG = "supervisord.log"
PID = "supervisord.pid"
PYTHON = "ALIEN_PYTHON"
"""The variable that tells the supervisor which Python runs the keepers."""
STARTED_AFTER_S = 1
"""A process counts as running when it has lived so long."""
KEPT_LOGS = 2
NEVER_GIVES_UP = 1_000_000
"""Retries of a keeper that ends at once. It makes the pauses after its process ended itself."""

HEAD = f"""[supervisord]
nodaemon=true
silent=true
logfile={LOG}
logfile_maxbytes=1MB
logfile_backups=1
pidfile={PID}
nocleanup=true

[inet_http_server]
port=127.0.0.1:%d
username=alien
password=%s

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""

PROGRAM = f"""
[program:%(id)s]
command="%%(ENV_{PYTHON})s" -P -m alien_iac.plugin.keeper .. %(id)s
environment=ALIEN_DEFINITION="%(version)s"
autostart=true
autorestart=true
startsecs={STARTED_AFTER_S}
startretries={NEVER_GIVES_UP}
stopsignal=TERM
stopwaitsecs=%(stop)d
killasgroup=true
redirect_stderr=true
stdout_logfile=../workloads/%(id)s/log/output.log
stdout_logfile_maxbytes=%(bytes)d
stdout_logfile_backups={KEPT_LOGS}
"""


def render(port: int, password: str, programs: Sequence[tuple[Definition, str]]) -> str:
    """The configuration for these processes, each with the version of its definition: another one restarts it."""
    return HEAD % (port, password) + "".join(
        PROGRAM
        % {
            "id": one.id,
            "version": version,
            "stop": one.stop_seconds + 2 * SPARE_S,
            "bytes": one.log_max_bytes,
        }
        for one, version in programs
    )
