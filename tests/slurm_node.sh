#!/usr/bin/env bash
# tests/slurm_node.sh start|stop FOLDER: a SLURM of this one machine, as root
# Debian: apt install slurm-wlm munge. Then: export SLURM_CONF=FOLDER/slurm.conf
# Partition gpu, node localhost with two "GPUs", which need no hardware.
set -euo pipefail
if [ $# -ne 2 ]; then sed -n '2,4p' "$0"; exit 2; fi
FOLDER=$(realpath -m "$2")
export PATH=$PATH:/usr/sbin SLURM_CONF=$FOLDER/slurm.conf

stop() {
    for daemon in slurmd slurmctld munged; do
        pid=$(cat "$FOLDER/$daemon.pid" 2>/dev/null) || continue
        kill "$pid" 2>/dev/null || continue
        # slurmctld writes its state when it ends.
        for _ in $(seq 100); do kill -0 "$pid" 2>/dev/null || break; sleep .1; done
    done
}

if [ "$1" = stop ]; then stop; exit; fi

mkdir -p "$FOLDER/state" "$FOLDER/spool"
# munged wants folders that nobody else can write to.
chmod 755 "$FOLDER"
head -c 1024 /dev/urandom > "$FOLDER/munge.key"
chmod 600 "$FOLDER/munge.key"
cat > "$FOLDER/slurm.conf" <<CONF
ClusterName=one
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$FOLDER/munge.socket
StateSaveLocation=$FOLDER/state
SlurmdSpoolDir=$FOLDER/spool
SlurmctldPidFile=$FOLDER/slurmctld.pid
SlurmdPidFile=$FOLDER/slurmd.pid
SlurmctldLogFile=$FOLDER/slurmctld.log
SlurmdLogFile=$FOLDER/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
GresTypes=gpu
MpiDefault=none
ReturnToService=2
KillWait=2
# More cores than the machine may have
SlurmdParameters=config_overrides
NodeName=localhost CPUs=16 Gres=gpu:2 State=UNKNOWN
PartitionName=gpu Nodes=localhost Default=YES State=UP
CONF
# A device file stands for a GPU; these two are on any machine.
cat > "$FOLDER/gres.conf" <<CONF
NodeName=localhost Name=gpu File=/dev/null
NodeName=localhost Name=gpu File=/dev/zero
CONF
trap stop ERR
munged --force --key-file="$FOLDER/munge.key" --socket="$FOLDER/munge.socket" \
    --pid-file="$FOLDER/munged.pid" --log-file="$FOLDER/munged.log" \
    --seed-file="$FOLDER/munged.seed"
slurmctld
slurmd -N localhost
for _ in $(seq 60); do
    if [ "$(sinfo -h -o %t)" = idle ]; then exit; fi
    sleep 1
done
tail -n 5 "$FOLDER"/slurm*.log >&2
false
