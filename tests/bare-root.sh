#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# bare-root.sh [--suite bookworm|trixie] [--command demo|tests|packages] [--work DIR]
# Makes a minimal Debian root by debootstrap, copies this tree into it without .git and build products, and
# types one README command as the first thing in it, with a clean environment. Needs root; loopback only.
set -euo pipefail
# shellcheck source=softhsm-setup/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../softhsm-setup/lib.sh"

suite=bookworm
command=demo
work=""
while [ $# -gt 0 ]; do
  case $1 in
    --suite | --command | --work) [ $# -ge 2 ] || die "$1 needs a value" ;;
    *) die "usage: bare-root.sh [--suite bookworm|trixie] [--command demo|tests|packages] [--work DIR]" ;;
  esac
  case $1 in
    --suite) suite=$2 ;;
    --command) command=$2 ;;
    --work) work=$2 ;;
  esac
  shift 2
done
case $suite in
  bookworm | trixie) ;;
  *) die "unknown suite: $suite" ;;
esac
case $command in
  demo) typed="softhsm-setup/demo.sh --once" ;;
  tests) typed="tests/run.sh" ;;
  packages) typed="softhsm-setup/packages.sh test" ;;
  *) die "unknown command: $command" ;;
esac
work=${work:-/var/tmp/estia-root-$suite-$command}
root=$work/root
log=$work/log

[ "$(id -u)" = 0 ] || die "debootstrap and chroot need root"
command -v debootstrap >/dev/null || die "debootstrap is missing: run softhsm-setup/packages.sh test"

# The folder is emptied below, so it must be one that this script made.
if [ -e "$work" ] && [ ! -e "$work/.estia-bare-root" ]; then
  die "$work exists and was not made by this script"
fi

is_mounted() {
  awk -v place="$1" '$2 == place { found = 1 } END { exit !found }' /proc/mounts
}

unmount() {
  local try
  for try in 1 2 3 4 5; do
    is_mounted "$root/proc" || return 0
    umount "$root/proc" 2>/dev/null || sleep "$try"
  done
  ! is_mounted "$root/proc"
}

result=FAIL
finish() {
  unmount || echo "bare-root.sh: $root/proc is still mounted" >&2
  printf '%s: %s on a bare %s root; log: %s\n' "$result" "$typed" "$suite" "$log"
}

# A log of an earlier run, and its root, go before anything new is made.
mkdir -p -- "$work"
work=$(cd -- "$work" && pwd -P)
root=$work/root
log=$work/log
: >"$work/.estia-bare-root"
unmount || die "$root/proc is mounted and busy"
rm -rf --one-file-system -- "$root"
: >"$log"
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# This machine's own mirror serves both suites.
# shellcheck disable=SC2016  # apt's own variables
mirror=$(apt-get indextargets --format '$(CODENAME) $(REPO_URI)' |
  awk '$1 == "bookworm" || $1 == "trixie" { print $2; exit }')
[ -n "$mirror" ] || die "this machine's apt sources name no Debian mirror, or no lists are fetched yet"

step 1 3 "making a minimal $suite root, about 30 s"
debootstrap --variant=minbase "$suite" "$root" "$mirror" >>"$log" 2>&1 ||
  die "debootstrap failed: $(tail -n 1 "$log")"

# What lets this machine reach its mirror is carried over; the package lists are not.
rm -rf -- "$root"/var/lib/apt/lists/*
for file in /etc/resolv.conf /etc/hosts; do
  [ ! -r "$file" ] || cp -L -- "$file" "$root$file"
done
for file in /etc/apt/apt.conf /etc/apt/apt.conf.d/*; do
  if [ -r "$file" ] && awk '/Proxy|CaInfo|Check-Valid-Until|Check-Date|Verify-/ { found = 1 } END { exit !found }' "$file"; then
    cp -L -- "$file" "$root$file"
  fi
done
if [ -d /usr/local/share/ca-certificates ]; then
  mkdir -p -- "$root/usr/local/share/ca-certificates"
  cp -rL -- /usr/local/share/ca-certificates/. "$root/usr/local/share/ca-certificates/"
fi

step 2 3 "copying the tree"
mkdir -- "$root/estia"
tar -C "$ESTIA_ROOT" --exclude=./.git --exclude=./build --exclude=./demo -cf - . | tar -C "$root/estia" --no-same-owner -xf -
mount -t proc proc "$root/proc"

step 3 3 "typing: $typed"
started=$SECONDS
status=0
chroot "$root" /usr/bin/env -i PATH=/usr/local/bin:/usr/bin:/bin TERM=dumb /bin/bash -c "cd /estia && exec $typed" \
  >>"$log" 2>&1 </dev/null || status=$?
echo "exit status $status after $((SECONDS - started)) s" | tee -a "$log"
[ "$status" = 0 ] || exit 1
result=PASS
