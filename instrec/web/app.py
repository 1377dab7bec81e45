"""The page and its requests: it takes a file, and returns progress and then the timeline.

Only pages of this server may ask: a name that points here (DNS rebinding) and pages of other origins are turned away.
A browser cannot name a file here: what it sends is stored in a temporary file without a name.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import threading
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, aclosing
from pathlib import Path
from typing import IO, Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from instrec import taxonomy
from instrec.audio import decoding
from instrec.errors import UserError
from instrec.inference import prediction
from instrec.inference.model import Model
from instrec.util.files import require_temporary_files
from instrec.util.text import clock
from instrec.web.player import laid_out
from instrec.web.templates import LOOKS, source, templates
from instrec.web.turns import AT_ONCE, Turns

LIMIT_MB = 2000  # three hours of a CD
_SPANS = 8  # segments of an instrument that the page shows at first
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src data:; media-src blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class _Stopped(Exception):
    """The client has gone."""


def application(model: Model, *, limit_mb: int = LIMIT_MB) -> Starlette:
    """Make the server of a model; files of more than `limit_mb` million bytes are refused.

    Raises
    ------
    UserError
        If no folder for temporary files can be written.
    """
    require_temporary_files()
    pages = templates("instrec.web")
    server = _Server(model, pages, limit_mb, tempfile.gettempdir())

    def given(content: str, kind: str) -> Callable[[Request], Response]:
        return lambda request: Response(content, media_type=kind, headers=_HEADERS)

    classes = [taxonomy.instrument(name).title for name in model.classes]
    known = {"classes": classes, "limit_mb": limit_mb, "endings": ",".join(sorted(decoding.SUFFIXES))}
    looks = source(pages, LOOKS) + source(pages, "web.css")
    return Starlette(
        routes=[
            Route("/", given(pages.get_template("web.html").render(known), "text/html")),
            Route("/web.css", given(looks, "text/css")),
            Route("/web.js", given(source(pages, "web.js"), "text/javascript")),
            Route("/timeline", server.timeline, methods=["POST"]),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"], www_redirect=False)],
    )


class _Server:
    def __init__(self, model: Model, templates: Any, limit_mb: int, folder: str) -> None:
        self._model = model
        self._template = templates.get_template("found.html")
        self._limit_mb = limit_mb
        self._folder = folder
        self._turns, self._workers = Turns(), ThreadPoolExecutor(AT_ONCE)

    async def timeline(self, request: Request) -> Response:
        """Take a file as the body; answer with the lines of `_lines`."""
        if not _from_this_page(request):
            return _refusal("This page may not ask.", 403)
        if request.headers.get("content-type", "").startswith("multipart/"):
            return _refusal("Send the file itself, not a form: curl --data-binary @song.wav ADDRESS/timeline", 415)
        with ExitStack() as stack:
            try:
                # Nameless, and not buffered: whatever ends this process ends the file, and closing cannot fail.
                upload = stack.enter_context(tempfile.TemporaryFile(dir=self._folder, buffering=0))
                if await self._is_too_long(request, upload):
                    return _refusal(f"The file has more than {self._limit_mb} MB. Try instrec predict.", 413)
            except OSError as error:
                reason = f"It cannot be stored in {self._folder}: {(error.strerror or str(error)).lower()}."
                return _refusal(f"{reason} Free some space, or start instrec serve with another TMPDIR.", 507)
            except ClientDisconnect:
                return _refusal("Not all of it arrived.", 400)  # read by nobody
            stack.pop_all()  # `_lines` closes it
            return _Stream(self._lines(upload))

    async def _is_too_long(self, request: Request, upload: IO[bytes]) -> bool:
        """Write the body into a file.

        Raises
        ------
        OSError
            If it cannot be written; not before all of the body is here, as a browser reads no answer until then.
        """
        size, full = 0, None
        if int(request.headers.get("content-length", 0)) > self._limit_mb * 1e6:
            return True
        async for chunk in request.stream():
            size += len(chunk)
            if size > self._limit_mb * 1e6:
                return True
            try:
                _write(upload, chunk if full is None else b"")
            except OSError as error:
                full = error
                upload.truncate(0)  # for others' files
        if full is not None:
            raise full
        return False

    async def _lines(self, upload: IO[bytes]) -> AsyncGenerator[str]:
        """Return lines of JSON for the page.

        `{"ahead": files}` while others come first, `{"seconds": analyzed}` during the work, and at the end
        `{"html": timeline}` or `{"error": reason}`.
        """
        loop, gone = asyncio.get_running_loop(), threading.Event()
        turns: asyncio.Queue[int] = asyncio.Queue()
        told: asyncio.Queue[float | None] = asyncio.Queue()
        seconds = 0.0

        def progress(more: float) -> None:
            nonlocal seconds
            if gone.is_set():
                raise _Stopped
            seconds += more
            loop.call_soon_threadsafe(told.put_nowait, seconds)

        with upload, self._turns.place(turns.put_nowait):
            while (ahead := await turns.get()) >= AT_ONCE:
                yield _line({"ahead": ahead})
            path = Path(f"/proc/self/fd/{upload.fileno()}")  # opens a file that has no name
            working = loop.run_in_executor(self._workers, self._answer, path, progress)
            working.add_done_callback(lambda done: told.put_nowait(None))
            try:
                while (so_far := await told.get()) is not None:
                    yield _line({"seconds": round(so_far, 1)})
                yield _line(await working)  # raises what went wrong
            finally:
                gone.set()
                working.cancel()  # if it has not begun: a thread may still be at the last block of one who has gone

    def _answer(self, path: Path, progress: Callable[[float], None]) -> dict[str, Any]:
        try:
            predicted = prediction.predict(path, self._model, progress=progress)
        except UserError as error:
            return {"error": str(error).removeprefix(f"{path}: ")}
        except _Stopped:
            return {}
        shown = {
            "timeline": laid_out("", predicted),
            "found": [(taxonomy.instrument(each.name).title, each) for each in predicted.instruments],
            "doubtful": [(taxonomy.instrument(each.name).title, each) for each in predicted.doubtful],
            "shown": _SPANS,
            "duration": predicted.activations.duration,
            "clock": clock,
            "warnings": [line.removeprefix(f"{path}: ") for line in predicted.activations.warnings],
        }
        return {"html": self._template.render(shown)}


class _Stream(StreamingResponse):
    """Closes its stream as soon as the client has gone, not when garbage is collected."""

    def __init__(self, lines: AsyncGenerator[str]) -> None:
        super().__init__(lines, media_type="application/x-ndjson", headers=_HEADERS)
        self._lines = lines

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(self._lines):
            await super().__call__(scope, receive, send)


def _from_this_page(request: Request) -> bool:
    """Tell this server's page, and what is no browser, from other pages; some of their posts have no `Origin`."""
    origin, site = (request.headers.get(name) for name in ("origin", "sec-fetch-site"))
    return origin in (None, f"http://{request.headers['host']}") and site in (None, "same-origin", "none")


def _write(file: IO[bytes], chunk: bytes) -> None:
    rest = memoryview(chunk)
    while rest:  # where the disk is nearly full, a part is written first
        rest = rest[file.write(rest) :]


def _line(content: dict[str, Any]) -> str:
    return json.dumps(content) + "\n"


def _refusal(reason: str, status: int) -> Response:
    return JSONResponse({"error": reason}, status_code=status, headers=_HEADERS)
