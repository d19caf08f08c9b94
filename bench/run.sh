#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run.sh NAME... [--json FILE] [--scale S] [--kind K]...: installs what a build needs, builds build/bench as a user
# would build (Release), and measures. docs/bench.md says what the figures mean. A missed goal is said, and is no failure.
set -euo pipefail
# shellcheck source=softhsm-setup/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../softhsm-setup/lib.sh"

readonly kNames="enroll hsm network serverkeygen timing"
usage="usage: run.sh NAME... [--json FILE] [--scale S] [--kind K]...
  NAME         what to measure: $kNames
  --json FILE  write the figures to FILE as well
  --scale S    how many enrolments, keys, attempts, attackers or rounds, in relation to the default of 1 (.05 is a quick look)
  --kind K     hsm, serverkeygen: keys of this kind only (P-256, P-384, P-521, RSA-2048, RSA-3072, RSA-4096), once for each;
               default: hsm P-256, P-384, RSA-2048, RSA-3072, Ed25519; serverkeygen all but RSA-4096, which takes SoftHSM a minute"
names=()
options=()
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) echo "$usage"; exit 0 ;;
    --json | --scale | --kind)
      [ $# -ge 2 ] || die "$1 needs a value. $usage"
      options+=("$1" "$2")
      shift 2
      ;;
    *)
      case " $kNames " in
        *" $1 "*) names+=("$1") ;;
        *) die "$1 is neither an option nor the name of a benchmark. $usage" ;;
      esac
      shift
      ;;
  esac
done
[ "${#names[@]}" -gt 0 ] || die "$usage"

need_proc
need_memory
[ -e "$ESTIA_ROOT/build/bench/build.ninja" ] || need_disk "$ESTIA_ROOT" 1000

step 1 4 "installing packages, about 1 min the first time"
"$ESTIA_ROOT/softhsm-setup/packages.sh" build
step 2 4 "configuring build/bench"
configure bench
step 3 4 "building, about 4 min the first time"
cmake --build "$ESTIA_ROOT/build/bench" --target estiad estia estia_bench -j "$(build_jobs)" </dev/null ||
  die "the build failed, see above"
step 4 4 "measuring: ${names[*]}, 1 to 5 min each"
exec "$ESTIA_ROOT/build/bench/bin/estia_bench" "${names[@]}" "${options[@]}"
