#!/usr/bin/env bash
# tools/dist_train.sh CONFIG GPUS [ARGS of tools/train.py]
# Several nodes: run it on each with NNODES, NODE_RANK and MASTER_ADDR set.
set -euo pipefail
if [ $# -lt 2 ]; then sed -n '2,3p' "$0"; exit 2; fi
CONFIG=$1
GPUS=$2
shift 2
TOOLS=$(dirname "$0")

bash "$TOOLS/dist_run.sh" "$GPUS" \
    "$TOOLS/train.py" "$CONFIG" --launcher pytorch "$@" || {
    echo 'Training ended before its time: the first error above says why, or' \
        'another node ended; start all nodes again with --resume.' >&2
    exit 1
}
