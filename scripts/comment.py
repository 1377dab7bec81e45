"""Show a page of Markdown on GitHub: as the step's summary, and as the one comment of its kind on the pull request.

    python scripts/comment.py gate.md

Reads what GitHub sets in every step (GITHUB_STEP_SUMMARY, GITHUB_API_URL, GITHUB_REPOSITORY), and PULL_REQUEST and
GITHUB_TOKEN, which the workflow hands over. Without a pull request there is only the summary.
"""

import http.client
import json
import os
import sys
import urllib.error
import urllib.request
from pathlib import Path

from instrec.errors import UserError, run

MARKER = "<!-- instrec gate -->"  # not shown; by it the comment is found again
LONGEST = 65536  # characters of a comment
A_PAGE = 100  # comments, the most that GitHub gives at once


def main(path: Path) -> None:
    if not path.exists():
        raise UserError("file-missing", path, "not there; `make gate BASE=origin/main` writes it")
    page = path.read_text(encoding="utf-8")
    with Path(environment("GITHUB_STEP_SUMMARY")).open("a", encoding="utf-8") as summary:
        summary.write(page)
    if not os.environ.get("PULL_REQUEST"):
        return
    try:
        comment(f"{MARKER}\n{page}"[:LONGEST])
    except urllib.error.HTTPError as error:
        if error.code != 403:
            raise UserError(
                "server-refused", error.url, f"GitHub answers {error.code} {error.reason}; run the job again"
            ) from error
        # The token of a pull request from a fork may only read.
        print("::notice::this token may not comment on the pull request; the job's summary has the page")
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise UserError(
            "server-unreachable", environment("GITHUB_API_URL"), f"not reached: {error}; run the job again"
        ) from error


def comment(body: str) -> None:
    """Make the comment, or put `body` in place of what an earlier run wrote."""
    thread = f"issues/{environment('PULL_REQUEST')}/comments"
    number, comments = 0, [None] * A_PAGE
    while len(comments) == A_PAGE:
        number += 1
        comments = request("GET", f"{thread}?per_page={A_PAGE}&page={number}")
        for each in comments:
            # A person's comment is never written over, whatever it begins with.
            if each["user"]["type"] == "Bot" and each["body"].startswith(MARKER):
                request("PATCH", f"issues/comments/{each['id']}", body)
                return
    request("POST", thread, body)


def request(method: str, path: str, body: str | None = None):
    call = urllib.request.Request(
        f"{environment('GITHUB_API_URL')}/repos/{environment('GITHUB_REPOSITORY')}/{path}",
        method=method,
        data=None if body is None else json.dumps({"body": body}).encode(),
        headers={
            "Authorization": f"Bearer {environment('GITHUB_TOKEN')}",
            "Accept": "application/vnd.github+json",
            "Content-Type": "application/json",
        },
    )
    with urllib.request.urlopen(call, timeout=60) as answer:
        return json.load(answer)


def environment(name: str) -> str:
    try:
        return os.environ[name]
    except KeyError:
        raise UserError(
            "variable-missing", "", f"{name} is not set: this is for a GitHub workflow; `make gate` prints the page"
        ) from None


if __name__ == "__main__":
    sys.exit(run(lambda: main(Path(sys.argv[1]))))
