# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Shell functions shared by the scripts of this tree. Sourced, never run.
# Until packages.sh has done its work, only bash, coreutils, sed and awk may be used here.

export LC_ALL=C
unset CDPATH
PATH="${PATH:-/usr/bin:/bin}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin"
export PATH

# The source root, whatever directory the caller stands in.
ESTIA_ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)

# What a build and the demo need, and the room packages and build take together.
readonly kMinMemoryMiB=1024 kMemoryPerJobMiB=1024

# die TEXT...: one clear line, then out.
die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# step NUMBER TOTAL TEXT...: tells a person what happens now.
step() {
  local number=$1 total=$2
  shift 2
  printf '[%s/%s] %s\n' "$number" "$total" "$*"
}

need_proc() {
  [ -r /proc/self/status ] || die "/proc is not mounted: mount -t proc proc /proc"
}

# In a container the limit of its control group counts too (version 2, version 1); "max" is none.
memory_mib() {
  local available limit file
  available=$(awk '$1 == "MemAvailable:" { print int($2 / 1024) }' /proc/meminfo)
  for file in /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes; do
    limit=$(cat -- "$file" 2>/dev/null || true)
    case $limit in
      "" | *[!0-9]*) continue ;;
    esac
    limit=$((limit / 1048576))
    if [ "$limit" -lt "${available:-0}" ]; then
      available=$limit
    fi
  done
  echo "${available:-0}"
}

need_memory() {
  local available
  available=$(memory_mib)
  [ "$available" -ge "$kMinMemoryMiB" ] ||
    die "too little memory: $kMinMemoryMiB MiB must be free, $available MiB are"
}

# need_disk DIRECTORY MIB: DIRECTORY exists already.
need_disk() {
  local available
  available=$(df -Pm -- "$1" | awk 'NR == 2 { print $4 }')
  [ "${available:-0}" -ge "$2" ] ||
    die "too little disk space: $2 MiB must be free under $1, ${available:-0} MiB are"
}

# Compilers run at once: one per processor, fewer when memory is short.
build_jobs() {
  local processors by_memory
  processors=$(nproc)
  by_memory=$(($(memory_mib) / kMemoryPerJobMiB))
  [ "$by_memory" -ge 1 ] || by_memory=1
  echo $((processors < by_memory ? processors : by_memory))
}

# run_quietly LOG COMMAND...: the output goes to LOG; its end is shown when COMMAND fails.
run_quietly() {
  local log=$1
  shift
  if ! "$@" >"$log" 2>&1 </dev/null; then
    tail -n 30 -- "$log" >&2
    die "this failed: $* (whole output: $log)"
  fi
}

# configure PRESET: a build directory that was made for another place is made anew.
configure() {
  local preset=$1 directory="$ESTIA_ROOT/build/$1" cached
  cached=$(sed -n 's/^CMAKE_HOME_DIRECTORY:INTERNAL=//p' "$directory/CMakeCache.txt" 2>/dev/null || true)
  if [ -n "$cached" ] && [ "$cached" != "$ESTIA_ROOT" ]; then
    rm -rf -- "$directory"
  fi
  mkdir -p -- "$directory" 2>/dev/null || die "cannot write to $ESTIA_ROOT/build"
  run_quietly "$directory/configure.log" cmake --preset "$preset" -S "$ESTIA_ROOT"
}

# softhsm_module: prints the path of SoftHSM's PKCS#11 module.
softhsm_module() {
  local module
  module=$(dpkg -L libsofthsm2 2>/dev/null | awk '/\/libsofthsm2\.so$/ { print; exit }')
  [ -r "${module:-/nonexistent}" ] || die "SoftHSM is not installed: run softhsm-setup/packages.sh build"
  printf '%s\n' "$module"
}

# quote TEXT: the text as one word for a POSIX shell.
quote() {
  printf "'%s'" "${1//\'/\'\\\'\'}"
}
