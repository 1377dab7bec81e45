#!/usr/bin/env bash
# Commit what `dvc repro` wrote for git, and push it to its branch; the models and data too, where a remote takes them.
set -eu
cd "$(dirname "$0")/.."
git symbolic-ref --quiet HEAD >/dev/null || { echo "error: no branch is checked out to push to; git switch BRANCH" >&2; exit 2; }
# First what the commit will point to.
if [ -n "$(dvc config core.remote || true)" ]; then
    dvc push
else
    echo "no default remote (dvc remote add --default NAME URL): models and data stay on this machine"
fi
git add dvc.lock metrics README.md
if git diff --cached --quiet; then
    echo "nothing to save: dvc.lock and metrics are as committed"
    exit 0
fi
git commit --quiet --message "dvc repro: dvc.lock and metrics"
git push --quiet origin HEAD
git log -1 --format='pushed %h'
