"""The page, and what answers it: a file in, what is heard of it while it is worked on, and its timeline out.

Only pages of this server may ask: a name that points here (DNS rebinding) and pages of other origins are turned away.
Nothing that a browser says names a file here: what is sent lies in a temporary file without a name of its own choosing.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from instrec import inference, page, taxonomy
from instrec.classifier import Classifier
from instrec.errors import UserError
from instrec.page import playing
from instrec.sources import audio
from instrec.text import clock

LIMIT_MB = 2000  # three hours of a CD
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src data:; media-src blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class _Stopped(Exception):
    """Whoever asked has gone."""


def application(classifier: Classifier, *, limit_mb: int = LIMIT_MB) -> Starlette:
    """Make the server of a model; files of more than `limit_mb` million bytes are refused."""
    templates = page.templates("instrec.web", "instrec.page")
    server = _Server(classifier, templates, limit_mb)

    def given(content: str, kind: str) -> Callable[[Request], Response]:
        return lambda request: Response(content, media_type=kind, headers=_HEADERS)

    classes = [taxonomy.instrument(name).title for name in classifier.card.classes]
    known = {"classes": classes, "limit_mb": limit_mb, "endings": ",".join(sorted(audio.SUFFIXES))}
    looks = page.source(templates, page.LOOKS) + page.source(templates, "web.css")
    return Starlette(
        routes=[
            Route("/", given(templates.get_template("web.html").render(known), "text/html")),
            Route("/web.css", given(looks, "text/css")),
            Route("/web.js", given(page.source(templates, "web.js"), "text/javascript")),
            Route("/timeline", server.timeline, methods=["POST"]),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"], www_redirect=False)],
    )


class _Server:
    def __init__(self, classifier: Classifier, templates: Any, limit_mb: int) -> None:
        self._classifier = classifier
        self._template = templates.get_template("found.html")
        self._limit_mb = limit_mb
        self._one_at_a_time = ThreadPoolExecutor(1)  # it takes all cores

    async def timeline(self, request: Request) -> Response:
        """Take a file as the body, and answer with a JSON object a line, as `_lines` gives them."""
        if request.headers.get("origin") not in (None, f"http://{request.headers['host']}"):
            return _refusal("This page may not ask.", 403)
        # `_lines` closes it, which removes it.
        upload = tempfile.NamedTemporaryFile(prefix="instrec-")  # noqa: SIM115
        try:
            if not await self._received(request, upload):
                upload.close()
                return _refusal(f"The file has more than {self._limit_mb} MB. Try instrec predict.", 413)
        except BaseException:
            upload.close()
            raise
        return StreamingResponse(self._lines(upload), media_type="application/x-ndjson", headers=_HEADERS)

    async def _received(self, request: Request, upload: IO[bytes]) -> bool:
        """Write the body into a file; False where it is too long."""
        size = 0
        if int(request.headers.get("content-length", 0)) > self._limit_mb * 1e6:
            return False
        async for chunk in request.stream():
            size += len(chunk)
            if size > self._limit_mb * 1e6:
                return False
            upload.write(chunk)
        upload.flush()
        return True

    async def _lines(self, upload: IO[bytes]) -> AsyncIterator[str]:
        """Give `{"heard": seconds}` every so often, then `{"html": what the page shows}` or `{"error": why not}`."""
        loop, gone = asyncio.get_running_loop(), threading.Event()
        told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        seconds = 0.0

        def heard(more: float) -> None:
            nonlocal seconds
            if gone.is_set():
                raise _Stopped
            seconds += more
            loop.call_soon_threadsafe(told.put_nowait, {"heard": round(seconds, 1)})

        def work() -> None:
            answer = self._answer(Path(upload.name), heard)
            loop.call_soon_threadsafe(told.put_nowait, answer)

        working = loop.run_in_executor(self._one_at_a_time, work)
        working.add_done_callback(lambda done: told.put_nowait({}))
        try:
            while line := await told.get():
                yield json.dumps(line) + "\n"
            await working  # raises what went wrong
        finally:
            gone.set()
            upload.close()

    def _answer(self, path: Path, heard: Callable[[float], None]) -> dict[str, Any]:
        try:
            prediction = inference.predict(path, self._classifier, progress=heard)
        except UserError as error:
            return {"error": str(error).removeprefix(f"{path}: ")}
        except _Stopped:
            return {}
        shown = {
            "timeline": playing.laid_out("", prediction),
            "found": [(taxonomy.instrument(each.name).title, each) for each in prediction.instruments],
            "duration": prediction.heard.duration,
            "clock": clock,
        }
        return {"html": self._template.render(shown)}


def _refusal(reason: str, status: int) -> Response:
    return JSONResponse({"error": reason}, status_code=status, headers=_HEADERS)
