#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# hsm.sh: runs the conformance suite against a PKCS #11 module and prints what it can do (docs/hsm-integration.md).
#   hsm.sh --module PATH --token LABEL --pin-file FILE [--serial S] [--init-args ARGS] [--capabilities "-Ed25519 +wrong-pin ..."]
#   hsm.sh --preset remote|opencryptoki|tpm2      a module from Debian, with a token of its own
# Objects that it makes are labelled estia-conformance-..., and destroyed. The PIN is read from the file (mode 0600); one that
# was refused is not tried again. Ends with 0 if every cell passed or was skipped with a reason.
set -euo pipefail
# shellcheck source=softhsm-setup/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../softhsm-setup/lib.sh"

usage="usage: hsm.sh --module PATH --token LABEL --pin-file FILE [--serial S] [--init-args ARGS] [--capabilities WORDS]
       hsm.sh --preset remote|opencryptoki|tpm2"
module="" token="" pin_file="" serial="" init_args="" capabilities="" preset=""
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) echo "$usage"; exit 0 ;;
    --module | --token | --pin-file | --serial | --init-args | --capabilities | --preset)
      [ $# -ge 2 ] || die "$1 needs a value. $usage"
      name=${1#--}
      printf -v "${name//-/_}" '%s' "$2"
      shift 2
      ;;
    *) die "$1 is not an option. $usage" ;;
  esac
done

read -r -d '' -a words <<<"${capabilities//,/ }" || true
for word in "${words[@]}"; do
  case $word in
    [-+]?*) ;;
    *) die "--capabilities: + or - is missing before $(quote "$word")" ;;
  esac
done

readonly kCellSeconds=300
work=$(mktemp -d)
children=()  # processes that a preset started
launcher=()  # what a preset puts before the suite
# cleanup: what this run started and made goes with it, however it ends.
cleanup() {
  local child
  for child in "${children[@]}"; do
    kill -- "$child" 2>/dev/null || true
  done
  rm -rf -- "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

if [ -n "$preset" ]; then
  [ -z "$module$token$pin_file" ] || die "--preset brings its own module and token. $usage"
  case $preset in
    remote | opencryptoki | tpm2) ;;
    *) die "there is no preset '$preset'. $usage" ;;
  esac
elif [ -z "$module" ] || [ -z "$token" ] || [ -z "$pin_file" ]; then
  die "$usage"
else
  [ -r "$module" ] || die "there is no module $module"
  [ -s "$pin_file" ] || die "there is no PIN in $pin_file"
  # Estia reads no other, so every cell would be NO.
  mode=$(stat -L -c %a -- "$pin_file")
  [ $((8#$mode & 8#077)) = 0 ] || die "others can read $pin_file (mode $mode): chmod 600 $(quote "$pin_file")"
  module=$(realpath -- "$module") pin_file=$(realpath -- "$pin_file")
fi

step 1 3 "building"
"$ESTIA_ROOT/softhsm-setup/packages.sh" test
configure dev
run_quietly "$ESTIA_ROOT/build/dev/hsm.log" cmake --build "$ESTIA_ROOT/build/dev" -j "$(build_jobs)" \
  --target hsm_conformance_tests token_maker
readonly suite=$ESTIA_ROOT/build/dev/bin/hsm_conformance_tests

if [ -n "$preset" ]; then
  # shellcheck source=/dev/null
  . "$ESTIA_ROOT/tests/hsm/preset_$preset.sh"
fi

export ESTIA_HSM_MODULE=$module ESTIA_HSM_TOKEN=$token ESTIA_HSM_PIN_FILE=$pin_file ESTIA_HSM_SERIAL=$serial
export ESTIA_HSM_INIT_ARGS=$init_args ESTIA_HSM_CAPABILITIES=$capabilities
export ESTIA_HSM_PIN_MARKER=$work/pin-refused ESTIA_HSM_RESULTS=$work/results
ESTIA_HSM_RUN=$(od -An -v -N6 -tx1 /dev/urandom | tr -d ' \n')
export ESTIA_HSM_RUN

# cells: every cell of the suite, "Suite.Name/vendor_who"; the one that looks for what was left comes last.
cells() {
  "$suite" --gtest_list_tests | awk '/^[^ ]/ { suite = $1 } /^ .*\/vendor_/ { print suite $1 }' |
    awk '/^Afterwards\./ { last = last $0 "\n"; next } { print } END { printf "%s", last }'
}

# run_cell CELL: in a process of its own; one that dies leaves a line of its own in the results.
run_cell() {
  local status=0 before
  before=$(wc -l <"$work/results")
  timeout "$kCellSeconds" "${launcher[@]}" "$suite" --gtest_filter="$1" >"$work/output" 2>&1 </dev/null || status=$?
  if [ "$(wc -l <"$work/results")" = "$before" ]; then
    printf '%s\t%s\t%s\tdied\t0\t%s\n' "${1%%.*}" "$(cell_name "$1")" "${1##*/}" \
      "exit status $status: $(tail -n 1 -- "$work/output" | tr '\t' ' ')" >>"$work/results"
  fi
}

cell_name() {
  local name=${1#*.}
  printf '%s' "${name%%/*}"
}

step 2 3 "trying $ESTIA_HSM_MODULE, token $(quote "$token")"
: >"$work/results"
cells >"$work/cells"
[ -s "$work/cells" ] || die "the suite lists no cells: $("$suite" --gtest_list_tests 2>&1 | tail -n 1)"
while IFS= read -r cell; do
  run_cell "$cell"
  if [ -e "$ESTIA_HSM_PIN_MARKER" ]; then
    die "the token refused the PIN in $pin_file. It was tried once, and is not tried again"
  fi
  # What is wrong with the order, the PIN file or the module's file is wrong in every cell.
  if [ "$(wc -l <"$work/results")" = 1 ]; then
    wrong=$(awk -F '\t' '/no such capability|file\.secret_|token\.module_(invalid|unloadable)/ {
      n = split($6, part, "\""); why = n > 1 ? part[2] : $6; sub(/[: ]+$/, "", why); print why }' "$work/results")
    [ -z "$wrong" ] || die "nothing was tried: $wrong"
  fi
  if [ "$(wc -l <"$work/results")" = 1 ] && awk -F '\t' '/token.not_found/ { found = 1 } END { exit !found }' "$work/results"; then
    die "the module shows no initialised token $(quote "$token")${serial:+ with serial $serial}: pkcs11-tool --module $(quote "$module") --list-token-slots"
  fi
done <"$work/cells"

step 3 3 "what it can do (native: Estia's own calls; provider: the package pkcs11-provider)"
awk -F '\t' '
  function short(outcome) { return outcome == "passed" ? "yes" : outcome == "skipped" ? "-" : outcome == "died" ? "DIED" : "NO" }
  { row = $1 "." $2; if (!(row in seen)) { seen[row] = 1; order[++rows] = row }
    got[row, $3] = short($4); count[$4]++
    if ($4 != "passed") { why[++reasons] = row " (" ($3 ~ /native/ ? "native" : "provider") "): " $6 } }
  END {
    printf "%-54s %-8s %-8s\n", "cell", "native", "provider"
    for (i = 1; i <= rows; i++) {
      row = order[i]
      printf "%-54s %-8s %-8s\n", row, got[row, "vendor_native"], got[row, "vendor_pkcs11_provider"]
    }
    for (i = 1; i <= reasons; i++) print why[i]
    printf "%d passed, %d skipped, %d failed, %d died\n", count["passed"], count["skipped"], count["failed"], count["died"]
  }' "$work/results"
awk -F '\t' '$4 == "failed" || $4 == "died" { bad = 1 } END { exit bad }' "$work/results"
