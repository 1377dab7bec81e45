"""`instrec serve`: a page, for this machine alone, to drop a file on and play it with its timeline."""

from __future__ import annotations

import os
import signal
import socket
from contextlib import suppress
from typing import Any

import uvicorn

from instrec.errors import UserError
from instrec.inference.model import Model
from instrec.web.app import LIMIT_MB, application
from instrec.web.protocol import PATIENCE_SECONDS, Protocol

HOST = "127.0.0.1"
_FAREWELL_SECONDS = 10  # all clients are hung up on when the server stops; only a starved process takes so long


def bound(port: int) -> socket.socket:
    """Return a socket that listens on the loopback.

    Raises
    ------
    UserError
        If the port is in use, or not for this user.
    """
    try:
        return socket.create_server((HOST, port))
    except OSError as error:
        reason = os.strerror(error.errno or 0).lower()
        raise UserError(
            "port-unavailable", f"port {port}", f"{reason}; choose another, or 0 for any: instrec serve --port 0"
        ) from error


def serve(model: Model, listening: socket.socket, **limits: Any) -> None:
    """Serve the page until Ctrl-C; `limits` are those of `server`."""
    ready = server(model, **limits)
    print(f"http://{HOST}:{listening.getsockname()[1]}/ shows what sounds in a file; Ctrl-C ends it", flush=True)
    with suppress(KeyboardInterrupt):
        ready.run(sockets=[listening])
    # A worker may take seconds to end; a second Ctrl-C does not wait for it, and is no traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def server(model: Model, *, limit_mb: int = LIMIT_MB, patience: float = PATIENCE_SECONDS) -> uvicorn.Server:
    """Return what runs the page.

    Parameters
    ----------
    limit_mb : of a file, in millions of bytes.
    patience : seconds within which a request must arrive.
    """
    protocol = type("Patient", (Protocol,), {"patience": patience})
    settings = uvicorn.Config(
        application(model, limit_mb=limit_mb),
        http=protocol,
        ws="none",
        lifespan="off",
        log_level="error",
        server_header=False,
        timeout_graceful_shutdown=_FAREWELL_SECONDS,
    )
    return _Server(settings, protocol)


class _Server(uvicorn.Server):
    """Hangs up on all clients when it ends: uvicorn alone forgets those that it has accepted and not yet greeted."""

    def __init__(self, settings: uvicorn.Config, protocol: type[Protocol]) -> None:
        super().__init__(settings)
        self._protocol = protocol

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._protocol.ending = True
        await super().shutdown(sockets)
