#!/usr/bin/env bash
# A real SLURM of three nodes on this machine, for tests, without systemd:
#   slurm_here.sh start DIR      prints nothing; SLURM_CONF is DIR/slurm.conf
#   slurm_here.sh kill DIR NODE  as a node that loses power: its slurmd, its job steps and what they run end at once
#   slurm_here.sh boot DIR NODE  that node again
#   slurm_here.sh stop DIR
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin
action=${1:?start, kill, boot or stop} dir=${2:?a folder}

stop() {
  local file
  for file in "$dir"/*.pid; do
    if [[ -s $file ]]; then kill "$(cat "$file")" 2>/dev/null || true; fi
  done
}
# PMIx has one folder for each job step in TmpFS, so that nodes on one machine need one each.
boot() {
  mkdir -p "$dir/tmp-$1"
  sed "s|^TmpFS=.*|TmpFS=$dir/tmp-$1|" "$dir/slurm.conf" >"$dir/slurm-$1.conf"
  slurmd -N "$1" -f "$dir/slurm-$1.conf"
}
# Every process below one, deepest last.
family() {
  local child
  echo "$1"
  for child in $(ps -o pid= --ppid "$1"); do family "$child"; done
}
power_off() {
  local step
  kill -9 "$(cat "$dir/slurmd-$1.pid")" || true
  # A job step belongs to the node whose log it writes.
  for step in $(pgrep slurmstepd); do
    if [[ $(readlink /proc/"$step"/fd/*) == *"$dir/slurmd-$1.log"* ]]; then
      # shellcheck disable=SC2046 # several numbers
      kill -9 $(family "$step") 2>/dev/null || true
    fi
  done
}
case $action in
  stop) stop ;;
  kill) power_off "${3:?a node}" ;;
  boot) boot "${3:?a node}" ;;
esac
if [[ $action != start ]]; then
  exit 0
fi

mkdir -p "$dir/state" "$dir/spool"
chmod 755 "$dir"
head -c 1024 /dev/urandom >"$dir/munge.key"
chmod 400 "$dir/munge.key"
munged --force --key-file="$dir/munge.key" --socket="$dir/munge.socket" --pid-file="$dir/munged.pid" \
  --log-file="$dir/munged.log" --seed-file="$dir/munged.seed"

host=$(hostname -s)
port=$((20000 + RANDOM % 10000))
cat >"$dir/slurm.conf" <<EOF
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
AuthType=auth/munge
AuthInfo=socket=$dir/munge.socket
SlurmctldPort=$port
SlurmctldPidFile=$dir/slurmctld.pid
SlurmctldLogFile=$dir/slurmctld.log
StateSaveLocation=$dir/state
SlurmdPidFile=$dir/slurmd-%n.pid
SlurmdLogFile=$dir/slurmd-%n.log
SlurmdSpoolDir=$dir/spool/%n
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobCompType=jobcomp/filetxt
JobCompLoc=$dir/jobs.log
JobAcctGatherType=jobacct_gather/none
ReturnToService=2
SlurmdTimeout=5
TmpFS=$dir
DebugFlags=NO_CONF_HASH
MpiDefault=pmix
SchedulerParameters=sched_min_interval=0,batch_sched_delay=0,bf_interval=1
NodeName=n[1-3] NodeHostname=$host NodeAddr=127.0.0.1 Port=[$((port + 1))-$((port + 3))] CPUs=2 RealMemory=1000
PartitionName=main Nodes=ALL Default=YES MaxTime=2-0 State=UP
EOF
export SLURM_CONF=$dir/slurm.conf
slurmctld -c -f "$SLURM_CONF"
for node in n1 n2 n3; do boot "$node"; done
for _ in $(seq 100); do
  if [[ $(sinfo --noheader --format='%T %D' 2>/dev/null) == "idle 3" ]]; then exit 0; fi
  sleep 0.2
done
echo "SLURM did not start:" >&2
tail -n 20 "$dir"/*.log >&2
stop
exit 1
