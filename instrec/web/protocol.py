"""HTTP as uvicorn speaks it, with time limits for requests, and a shutdown that waits for no client."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

PATIENCE_SECONDS = 20.0
SLOWEST = 10_000  # bytes a second, on average, of a body: what a poor `ssh -L` carries
LONGEST_SECONDS = 3600.0  # for a body, however steady
MOST_CONNECTIONS = 400  # each may hold two open files, of the 1024 that a process usually may have


class Protocol(H11Protocol):
    """One connection.

    The head of a request must arrive within `patience` seconds after the connection or the last answer. So must its
    body, with more time for what has arrived. A client that does not read an answer for as long is cut off. While the
    server ends (`ending`), every connection is.
    """

    patience = PATIENCE_SECONDS
    ending = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._awaited: tuple[Any, Any] | None = None
        self._since, self._received = 0.0, 0
        self._late: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        super().connection_made(transport)
        transport.set_write_buffer_limits(0)  # so that `pause_writing` is called for every byte that is not read
        self._watch()
        if self.ending or len(self.connections) > MOST_CONNECTIONS:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._late, self._unread):
            if timer:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._received += len(data)
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Wait for the next request, or for the rest of this one's body."""
        super().on_response_complete()
        self._watch()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP."""
        with suppress(h11.LocalProtocolError):  # an answer is under way already
            super().send_400_response(msg)
        self.transport.close()

    def pause_writing(self) -> None:
        """Wait for whoever does not read."""
        super().pause_writing()
        self._unread = self.loop.call_later(self.patience, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._unread:
            self._unread.cancel()

    def shutdown(self) -> None:
        """Hang up when the server ends: a task that is waited for in vain ends in a traceback."""
        self.transport.abort()

    def _watch(self) -> None:
        """Start the clock anew where something else is awaited than before."""
        awaited = (self.conn.their_state, self.cycle)
        if awaited == self._awaited:
            return
        self._awaited, self._since, self._received = awaited, self.loop.time(), 0
        if self._late:
            self._late.cancel()
        if self.conn.their_state in (h11.IDLE, h11.SEND_BODY):  # in every other state it is the server's turn
            self._late = self.loop.call_later(self.patience, self._check)

    def _check(self) -> None:
        """Hang up if the client's time is over."""
        more = self._received / SLOWEST if self.conn.their_state is h11.SEND_BODY else 0.0
        left = self._since + min(self.patience + more, LONGEST_SECONDS) - self.loop.time()
        if left > 0:
            self._late = self.loop.call_later(left, self._check)
        elif self.conn.our_state is h11.SEND_RESPONSE:
            self._answer_too_late()
        else:
            self.transport.abort()

    def _answer_too_late(self) -> None:
        content = json.dumps({"error": "It arrived too slowly. Try again, or instrec predict."}).encode()
        headers = [("Content-Type", "application/json"), ("Connection", "close")]
        response = h11.Response(status_code=408, headers=headers, reason=b"Request Timeout")
        for event in (response, h11.Data(data=content), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
