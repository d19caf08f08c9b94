#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# tidy.sh [PATH...]: clang-tidy, by the root's .clang-tidy, over the .cpp files given or below the folders given;
# without any, over the whole product. Installs nothing. Prints findings and nothing else; non-zero if there are any.
set -euo pipefail
# shellcheck source=softhsm-setup/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../softhsm-setup/lib.sh"

usage="usage: tidy.sh [PATH...]"
case ${1:-} in
  -h | --help) echo "$usage"; exit 0 ;;
  -*) die "$1 is not an option. $usage" ;;
esac
command -v clang-tidy >/dev/null || die "clang-tidy is missing: apt-get install clang-tidy"
command -v cmake >/dev/null || die "cmake is missing: softhsm-setup/packages.sh test"

paths=("$@")
if [ "$#" -eq 0 ]; then
  paths=("$ESTIA_ROOT"/{crypto,hsm,server,admin})
fi
for path in "${paths[@]}"; do
  [ -e "$path" ] || die "there is no $path"
done

# The commands of the dev preset; a build is not needed.
configure dev

# check_one FILE: clang-tidy's counts of what lies in system headers are of no use to anybody.
check_one() {
  local output
  output=$(clang-tidy -p "$ESTIA_ROOT/build/dev" --quiet "$1" 2>&1) && return
  printf '%s\n' "$output" | sed -E '/^[0-9]+ warnings? (generated|treated)|^Suppressed |^Use -header-filter/d'
  return 1
}
export -f check_one
export ESTIA_ROOT

# Headers are read with the sources that include them.
mapfile -d '' -t sources < <(find "${paths[@]}" -type f -name '*.cpp' -print0)
[ "${#sources[@]}" -gt 0 ] || die "there is no .cpp file in ${paths[*]}"
# xargs fails when one of its processes does.
# shellcheck disable=SC2016  # for the inner shell
printf '%s\0' "${sources[@]}" | xargs -0 -n 1 -P "$(build_jobs)" bash -c 'check_one "$1"' check_one ||
  die "there are findings, see above"
