#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# packages.sh build|test: installs what building and the demo need, or that and what the tests need,
# on Debian 12 and 13. Does nothing (and needs no root, no network) when all of it is there.
set -euo pipefail
# shellcheck source=softhsm-setup/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

readonly kBuild="build-essential cmake ninja-build ccache pkg-config libssl-dev libpoco-dev libsqlite3-dev
  libtomlplusplus-dev libcli11-dev prometheus-cpp-dev libspdlog-dev libfmt-dev nlohmann-json3-dev softhsm2 libp11-kit-dev
  libcurl4-openssl-dev curl openssl ca-certificates xz-utils procps pkcs11-provider libp11-dev"
readonly kTest="libgtest-dev libbenchmark-dev strongswan-pki libstrongswan-extra-plugins
  libstrongswan-standard-plugins default-jdk-headless libbcpkix-java sqlite3 p11-kit p11-kit-modules
  libnss3 gnutls-bin opensc strace debootstrap python3"
# Packages of these names in Debian 12's main section are missing or too old for us.
readonly kBackports="pkcs11-provider libp11-dev"
readonly kMinimums="libp11-dev=0.4.13~ pkcs11-provider=1.0~"
# The first Debian 12 revision of Poco that carries the fix of CVE-2023-52389.
readonly kPocoFixed="1.11.0-3+deb12u1"
readonly kLockSeconds=300 kDiskMiB=2500
readonly kBackportsList=/etc/apt/sources.list.d/estia-bookworm-backports.list

usage() {
  echo "usage: packages.sh build|test"
}

# Prints VERSION_CODENAME, or ends: what is not tried is not claimed.
release() {
  local codename=""
  if [ -r /etc/os-release ]; then
    codename=$(. /etc/os-release && [ "${ID:-}" = debian ] && echo "${VERSION_CODENAME:-}") || true
  fi
  case $codename in
    bookworm | trixie) echo "$codename" ;;
    *) die "this needs Debian 12 (bookworm) or 13 (trixie)" ;;
  esac
}

# missing PACKAGE...: those that are not installed, or older than kMinimums says.
missing() {
  # shellcheck disable=SC2016  # dpkg-query's own variables
  dpkg-query -W -f '${Package} ${db:Status-Status} ${Version}\n' "$@" 2>/dev/null |
    awk -v wanted="$*" '$2 == "installed" { have[$1] = 1 }
      END { n = split(wanted, name, /[ \n]+/); for (i = 1; i <= n; i++) if (!(name[i] in have)) print name[i] }'
  local rule version
  for rule in $kMinimums; do
    version=$(installed_version "${rule%%=*}")
    if [ -n "$version" ] && ! dpkg --compare-versions "$version" ge "${rule#*=}"; then
      echo "${rule%%=*}"
    fi
  done
}

installed_version() {
  # shellcheck disable=SC2016  # dpkg-query's own variables
  dpkg-query -W -f '${db:Status-Status} ${Version}\n' "$1" 2>/dev/null | awk '$1 == "installed" { print $2; exit }'
}

# run_apt ARGUMENT...: waits for dpkg's lock by apt's own option and for the locks of the package
# lists, which that option does not cover, by trying again. Output goes to $log.
run_apt() {
  local deadline=$((SECONDS + kLockSeconds))
  until DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout="$kLockSeconds" "$@" >"$log" 2>&1 </dev/null; do
    log_has 'Could not get lock' || return 1
    [ "$SECONDS" -lt "$deadline" ] || die "another program has held apt's lock for $kLockSeconds s"
    sleep 2
  done
}

# log_has EXPRESSION: awk, since grep is not promised on a bare system.
log_has() {
  awk -v expression="$1" '$0 ~ expression { found = 1; exit } END { exit !found }' "$log"
}

# Says in one line what went wrong in $log, which stays for the reader.
apt_failed() {
  local reason="apt-get failed"
  if log_has 'Temporary failure resolving|Could not resolve|ould not connect|nable to connect|unreachable|timed out'; then
    reason="no network: the Debian mirror of this machine's apt sources cannot be reached"
  elif log_has 'No space left on device'; then
    reason="the disk is full"
  elif log_has 'Unable to locate package'; then
    reason=$(sed -n 's/^E: \(Unable to locate package .*\)/\1 in this machine'\''s apt sources/p' "$log" | head -n 1)
  elif log_has '^[EW]: '; then
    reason="$reason: $(sed -n 's/^[EW]: //p' "$log" | head -n 1)"
  else
    reason="this machine's apt sources list no packages of $(release)"
  fi
  trap - EXIT
  die "$reason (whole output: $log)"
}

# Prints "codename|mirror|keyring" of every package list that apt has fetched.
fetched_lists() {
  # shellcheck disable=SC2016  # apt's own variables
  apt-get indextargets --format '$(CODENAME)|$(REPO_URI)|$(SIGNED_BY)'
}

# Fetches the lists. Judged by what is there afterwards: apt-get only warns about a mirror that it
# cannot reach, and fails for a source that is none of our business.
update_lists() {
  run_apt update || true
  fetched_lists | awk -F'|' -v codename="$1" '$1 == codename { found = 1 } END { exit !found }' || apt_failed
}

# Debian 12 only, after update_lists: without lists the machine's own mirror is not known.
enable_backports() {
  local lists mirror keyring options=""
  lists=$(fetched_lists)
  case $'\n'$lists in
    *$'\n'"bookworm-backports|"*) return ;;
  esac
  IFS='|' read -r mirror keyring < <(printf '%s\n' "$lists" | awk -F'|' '$1 == "bookworm" { print $2 "|" $3; exit }')
  case $keyring in
    /*) options="[signed-by=$keyring] " ;;
  esac
  printf '# Written by %s for: %s\ndeb %s%s bookworm-backports main\n' \
    "Estia's packages.sh" "$kBackports" "$options" "$mirror" >"$kBackportsList"
  update_lists bookworm-backports
}

# need_root SET PACKAGE...: only root may install; the line names the one command that needs root.
need_root() {
  [ "$(id -u)" = 0 ] ||
    die "$(($# - 1)) packages are missing (${*:2:3}${5:+ ...}): run softhsm-setup/packages.sh $1 once as root"
}

# install_missing CODENAME PACKAGE...
install_missing() {
  local codename=$1
  shift
  need_disk /var "$kDiskMiB"
  log=$(mktemp)
  trap 'rm -f -- "$log"' EXIT
  update_lists "$codename"
  if [ "$codename" = bookworm ]; then
    enable_backports
    local package backports=() others=()
    for package in "$@"; do
      case " $kBackports " in
        *" $package "*) backports+=("$package") ;;
        *) others+=("$package") ;;
      esac
    done
    if [ "${#others[@]}" -gt 0 ]; then
      run_apt install -y --no-install-recommends "${others[@]}" || apt_failed
    fi
    if [ "${#backports[@]}" -gt 0 ]; then
      run_apt install -y --no-install-recommends -t bookworm-backports "${backports[@]}" || apt_failed
    fi
  else
    run_apt install -y --no-install-recommends "$@" || apt_failed
  fi
}

check_poco() {
  local version
  version=$(installed_version libpoco-dev)
  dpkg --compare-versions "$version" ge "$kPocoFixed" ||
    die "libpoco-dev $version has CVE-2023-52389: $kPocoFixed or later is needed (apt-get install libpoco-dev)"
}

main() {
  local wanted
  case ${1:-} in
    build) wanted=$kBuild ;;
    test) wanted="$kBuild $kTest" ;;
    -h | --help) usage; return ;;
    *) usage >&2; exit 2 ;;
  esac
  [ $# -eq 1 ] || { usage >&2; exit 2; }
  need_proc
  local codename absent
  codename=$(release)
  # shellcheck disable=SC2086  # lists of package names
  absent=$(missing $wanted)
  if [ -n "$absent" ]; then
    # shellcheck disable=SC2086
    need_root "$1" $absent
    # shellcheck disable=SC2086
    install_missing "$codename" $absent
    # shellcheck disable=SC2086
    absent=$(missing $wanted)
    # shellcheck disable=SC2086,SC2116  # on one line
    [ -z "$absent" ] || die "still missing after installation: $(echo $absent)"
  fi
  check_poco
}

main "$@"
