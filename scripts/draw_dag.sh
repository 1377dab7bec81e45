#!/usr/bin/env bash
# Draw the pipeline of dvc.yaml into docs/dag.svg; needs Graphviz (`dot`).
set -euo pipefail
cd "$(dirname "$0")/.."
dvc dag --dot | dot -Tsvg -o docs/dag.svg \
    -Grankdir=LR -Gbgcolor=white -Gnodesep=0.35 -Granksep=0.45 -Gpad=0.15 \
    -Nshape=box -Nstyle=rounded,filled -Nfillcolor='#eef3f8' -Ncolor='#4a6a8a' -Nmargin=0.2,0.1 \
    -Nfontname=Helvetica -Nfontsize=13 -Nfontcolor='#22313f' -Ecolor='#8a97a3' -Earrowsize=0.7
