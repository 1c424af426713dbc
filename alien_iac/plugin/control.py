"""The supervisor's control channel: XML-RPC on the loopback, with a password that only its owner can read."""

import base64
import http.client
import xmlrpc.client
from dataclasses import dataclass
from typing import Any

from supervisor.xmlrpc import Faults

from alien_iac.errors import Unavailable

TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Supervised:
    """A process's keeper as the supervisor sees it. `status`: running, starting, failing, stopping, or stopped."""

    id: str
    status: str


STATUS = {"RUNNING": "running", "STARTING": "starting", "STOPPING": "stopping", "STOPPED": "stopped"}


class _Transport(xmlrpc.client.Transport):
    def make_connection(self, host: tuple[str, dict[str, str]] | str) -> http.client.HTTPConnection:
        connection = super().make_connection(host)
        connection.timeout = TIMEOUT_S
        return connection


@dataclass(frozen=True)
class Control:
    """Speaks to one supervisor. Every method raises Unavailable when it does not answer."""

    port: int
    password: str

    def pid(self) -> int:
        return int(self._ask("getPID"))

    def states(self) -> list[Supervised]:
        return [_state(info) for info in self._ask("getAllProcessInfo")]

    def state(self, workload_id: str) -> Supervised | None:
        """None: it does not know the process."""
        info = self._ask("getProcessInfo", workload_id, unless=(Faults.BAD_NAME,))
        return _state(info) if info else None

    def differences(self) -> tuple[list[str], list[str], list[str]]:
        """What its configuration file now has added, changed and removed against what it runs."""
        added, changed, removed = self._ask("reloadConfig")[0]
        return added, changed, removed

    def add(self, workload_id: str) -> None:
        self._ask("addProcessGroup", workload_id, unless=(Faults.ALREADY_ADDED,))

    def remove(self, workload_id: str) -> None:
        self._ask("removeProcessGroup", workload_id, unless=(Faults.BAD_NAME,))

    def start(self, workload_id: str) -> None:
        self._ask("startProcess", workload_id, False, unless=(Faults.ALREADY_STARTED,))

    def stop(self, workload_id: str) -> None:
        """Begin to stop it. It may not know it, or it may stand still already."""
        self._ask("stopProcess", workload_id, False, unless=(Faults.NOT_RUNNING, Faults.BAD_NAME))

    def shutdown(self) -> None:
        self._ask("shutdown", unless=(Faults.SHUTDOWN_STATE,))

    def _ask(self, method: str, *args: object, unless: tuple[int, ...] = ()) -> Any:
        """Its answer; None for one of the faults `unless`."""
        word = base64.b64encode(f"alien:{self.password}".encode()).decode()
        transport = _Transport(headers=[("Authorization", f"Basic {word}")])
        try:
            with xmlrpc.client.ServerProxy(f"http://127.0.0.1:{self.port}", transport=transport) as server:
                return getattr(server.supervisor, method)(*args)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode in unless:
                return None
            raise Unavailable(f"the supervisor refused {method} {args}: {fault.faultString}") from fault
        except (OSError, http.client.HTTPException, xmlrpc.client.Error) as error:
            raise Unavailable(f"the supervisor does not answer on port {self.port}: {type(error).__name__}") from error


def _state(info: dict[str, Any]) -> Supervised:
    return Supervised(info["name"], STATUS.get(info["statename"], "failing"))
