#!/usr/bin/env bash
# tools/dist_run.sh GPUS TOOL [ARGS]: a process for each GPU
# NNODES, NODE_RANK, MASTER_ADDR and PORT are read from the environment.
set -euo pipefail
if [ $# -lt 2 ]; then sed -n '2,3p' "$0"; exit 2; fi
GPUS=$1
shift

# As with the hosts' scripts, modules beside tools/ can be imported.
export PYTHONPATH="$(dirname "$0")/..${PYTHONPATH:+:$PYTHONPATH}"
exec python -m torch.distributed.run \
    --nnodes="${NNODES:-1}" \
    --node_rank="${NODE_RANK:-0}" \
    --master_addr="${MASTER_ADDR:-127.0.0.1}" \
    --master_port="${PORT:-29500}" \
    --nproc_per_node="$GPUS" \
    "$@"
