"""What somebody at another address gets from a running service: nothing.

The other address is this machine's own on its network, by which any listener on all interfaces can
be reached just as from outside.
"""

import socket
from contextlib import suppress

import grpc
import httpx
import psutil
import pytest
from integration.api import Api

from cluster.session import Session, processes

pytestmark = pytest.mark.integration

# One that each of Ray's servers has, and one that none has.
_CALLS = (
    "/ray.rpc.NodeInfoGcsService/GetAllNodeInfo",
    "/ray.rpc.InternalKVGcsService/InternalKVKeys",
    "/ray.rpc.JobInfoGcsService/GetAllJobInfo",
    "/ray.rpc.NodeManagerService/GetNodeStats",
    "/ray.rpc.ObjectManagerService/FreeObjects",
    "/ray.rpc.CoreWorkerService/GetCoreWorkerStats",
    "/ray.rpc.RuntimeEnvService/GetRuntimeEnvsInfo",
    "/ray.rpc.ReporterService/GetTraceback",
    "/ray.rpc.RayletDriver/ClusterInfo",
    "/ray.serve.ASGIService/HandleRequest",
    "/ray.serve.RayServeAPIService/Healthz",
)
_PATHS = ("/", "/metrics", "/api/version", "/-/routes", "/health")
# With no body to speak of, the worst that a call without a token may be told.
_REFUSED = (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.UNIMPLEMENTED)


def own_address() -> str:
    found = [
        address.address
        for addresses in psutil.net_if_addrs().values()
        for address in addresses
        if address.family is socket.AF_INET and not address.address.startswith("127.")
    ]
    if not found:
        pytest.skip("this machine has no address but loopback")
    return found[0]


def reachable(session: Session) -> dict[int, str]:
    """Ports of the service's processes that listen to more than loopback, and whose they are."""
    found: dict[int, str] = {}
    family: set[psutil.Process] = set()
    for process in processes(session):
        with suppress(psutil.NoSuchProcess):
            family |= {process, *process.children(recursive=True)}
    for process in family:
        # One that has ended since, as idle workers do, listens to nothing.
        with suppress(psutil.NoSuchProcess):
            for connection in process.net_connections("inet"):
                here = connection.laddr
                if connection.status == psutil.CONN_LISTEN and not is_loopback(here.ip):
                    found[here.port] = process.name()
    return found


def is_loopback(address: str) -> bool:
    return address == "::1" or address.removeprefix("::ffff:").startswith("127.")


def test_no_process_answers_a_stranger(api: Api, session: Session) -> None:
    there, ports = own_address(), reachable(session)
    assert ports, "Ray's own do listen to all interfaces"
    answered: list[tuple[str, str, int]] = []
    for port, name in ports.items():
        said = {path: http_status(f"http://{there}:{port}{path}") for path in _PATHS}
        answered += [(name, path, got) for path, got in said.items() if got and got != 401]
        if any(said.values()):
            continue  # it speaks HTTP
        with grpc.insecure_channel(f"{there}:{port}") as channel:
            told = {call: refusal(channel, call) for call in _CALLS}
        if set(told.values()) == {grpc.StatusCode.UNAVAILABLE} and port not in reachable(session):
            continue  # it has ended since, as the supervisor of a job does
        assert set(told.values()) <= set(_REFUSED), (name, told)
        # The raylet's second port is the object manager's, which has none of these calls: that its
        # own need the token is not shown yet.
        known = grpc.StatusCode.UNAUTHENTICATED in told.values()
        assert known or name == "raylet", (name, told)
    assert answered == []


def http_status(url: str) -> int | None:
    """The status of an answer; none from what does not speak HTTP."""
    try:
        return httpx.get(url, timeout=5).status_code
    except httpx.TransportError:
        return None


def refusal(channel: grpc.Channel, call: str) -> grpc.StatusCode:
    try:
        channel.unary_unary(call)(b"", timeout=10)
    except grpc.RpcError as error:
        return error.code()
    pytest.fail(f"{call} was answered without a token")


def test_the_jobs_api_and_the_dashboard_need_the_token(session: Session) -> None:
    for path in ("/api/jobs/", "/api/serve/applications/", "/nodes?view=summary", "/api/v0/nodes"):
        assert httpx.get(f"{session.dashboard_url}{path}").status_code == 401
    port = int(session.dashboard_url.rpartition(":")[2])
    assert port not in reachable(session)


def test_the_http_port_is_on_loopback_only(session: Session) -> None:
    port = int(session.service_url.rpartition(":")[2])
    with socket.socket() as stranger:
        assert stranger.connect_ex((own_address(), port)) != 0
