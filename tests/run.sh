#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run.sh [--asan|--tsan] [--full] [LABEL...]: installs what the tests need, builds, and runs every test, or those
# that carry one of the ctest labels given. The exit status is ctest's; its closing lines come last.
set -euo pipefail
# shellcheck source=softhsm-setup/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../softhsm-setup/lib.sh"

readonly kLabels="unit token hsm store e2e conformance fault fuzz"
usage="usage: run.sh [--asan|--tsan] [--full] [LABEL...]   labels: $kLabels"
preset=dev
labels=()
for argument in "$@"; do
  case $argument in
    --asan | --tsan)
      [ "$preset" = dev ] || die "choose one of --asan and --tsan"
      preset=${argument#--}
      ;;
    --full) export ESTIA_TEST_FULL=1 ;;
    -h | --help) echo "$usage"; exit 0 ;;
    *)
      case " $kLabels " in
        *" $argument "*) labels+=("$argument") ;;
        *) die "$argument is neither an option nor a label. $usage" ;;
      esac
      ;;
  esac
done

need_proc
need_memory
case $preset in
  dev) build_minutes=5 disk_mib=2000 ;;
  *) build_minutes=8 disk_mib=4000 ;;
esac
[ -e "$ESTIA_ROOT/build/$preset/build.ninja" ] || need_disk "$ESTIA_ROOT" "$disk_mib"

# Sanitizers stop at the first report; suppressions carry a reason per line.
support=$ESTIA_ROOT/tests/support
export ASAN_OPTIONS="detect_leaks=1:halt_on_error=1:detect_stack_use_after_return=1:check_initialization_order=1:strict_string_checks=1"
export UBSAN_OPTIONS="halt_on_error=1:print_stacktrace=1"
export LSAN_OPTIONS="suppressions='$support/lsan.supp':print_suppressions=0"
# Threads that nobody joins: estiad ends while one is in a module; of any other, ~thread() ends the program.
export TSAN_OPTIONS="suppressions='$support/tsan.supp':halt_on_error=1:second_deadlock_stack=1:report_thread_leaks=0"
# ThreadSanitizer of GCC 12 cannot map its shadow under strong address randomisation.
launcher=()
if [ "$preset" = tsan ] && setarch -R true 2>/dev/null; then
  launcher=(setarch -R)
fi

selection=()
if [ "${#labels[@]}" -gt 0 ]; then
  selection=(-L "^($(IFS='|'; echo "${labels[*]}"))\$")
fi

step 1 4 "installing packages, about 2 min the first time"
"$ESTIA_ROOT/softhsm-setup/packages.sh" test
step 2 4 "configuring build/$preset"
configure "$preset"
step 3 4 "building, about $build_minutes min the first time"
"${launcher[@]}" cmake --build "$ESTIA_ROOT/build/$preset" -j "$(build_jobs)" </dev/null || die "the build failed, see above"
step 4 4 "testing: ${labels[*]:-everything}"
exec "${launcher[@]}" ctest --test-dir "$ESTIA_ROOT/build/$preset" "${selection[@]}" -j "$(nproc)" \
  --output-on-failure --no-tests=error --no-label-summary
