#!/usr/bin/env bash
# tools/dist_test.sh CONFIG CHECKPOINT GPUS [ARGS of tools/test.py]
# Several nodes: run it on each with NNODES, NODE_RANK and MASTER_ADDR set.
set -euo pipefail
if [ $# -lt 3 ]; then sed -n '2,3p' "$0"; exit 2; fi
CONFIG=$1
CHECKPOINT=$2
GPUS=$3
shift 3

python -m torch.distributed.run \
    --nnodes="${NNODES:-1}" \
    --node_rank="${NODE_RANK:-0}" \
    --master_addr="${MASTER_ADDR:-127.0.0.1}" \
    --master_port="${PORT:-29500}" \
    --nproc_per_node="$GPUS" \
    "$(dirname "$0")/test.py" "$CONFIG" "$CHECKPOINT" --launcher pytorch "$@"
