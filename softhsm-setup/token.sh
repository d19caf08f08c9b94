#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# token.sh DIR [--label L]: a SoftHSM token of its own in DIR, no root needed. A second run reuses it.
#   DIR/softhsm2.conf  point SOFTHSM2_CONF at it        DIR/so-pin, DIR/pin  random PINs, mode 0600
#   DIR/tokens/        the token                        DIR/token-copy/      copies of each token.object
# SoftHSM rewrites token.object in place at every login: a crash at that moment leaves it empty and every
# key unreadable. The copy puts that right, so an empty one is reported and never made anew.
set -euo pipefail
umask 077
# shellcheck source=softhsm-setup/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

label=estia
directory=""
while [ $# -gt 0 ]; do
  case $1 in
    --label) [ $# -ge 2 ] || die "--label needs a value"; label=$2; shift 2 ;;
    -*) die "usage: token.sh DIR [--label L]" ;;
    *) [ -z "$directory" ] || die "usage: token.sh DIR [--label L]"; directory=$1; shift ;;
  esac
done
[ -n "$directory" ] || die "usage: token.sh DIR [--label L]"
case $directory in
  *$'\n'*) die "the directory's name must not contain a line break" ;;
esac

# make_pin FILE: 128 random bits in hexadecimal. Complete or absent, never half written.
make_pin() {
  [ ! -s "$1" ] || return 0
  od -An -v -N16 -tx1 /dev/urandom | tr -d ' \n' >"$1.new"
  mv -- "$1.new" "$1"
}

write_configuration() {
  printf '%s\n' "directories.tokendir = $directory/tokens" "objectstore.backend = file" \
    "log.level = ERROR" "slots.removable = false" >"$directory/softhsm2.conf.new"
  mv -- "$directory/softhsm2.conf.new" "$directory/softhsm2.conf"
}

# Ends with the one command that puts the copy back if a token has lost its token.object.
refuse_lost_token() {
  local copy object
  for object in "$directory"/tokens/*/token.object; do
    copy=$directory/token-copy/$(basename -- "$(dirname -- "$object")")/token.object.copy
    if [ -e "$directory/label" ] && [ -e "$object" ] && [ ! -s "$object" ] && [ ! -s "$copy" ]; then
      die "$object is empty (a crash during a login does this) and there is no copy of it: its keys are lost"
    fi
  done
  for copy in "$directory"/token-copy/*/token.object.copy; do
    object=$directory/tokens/$(basename -- "$(dirname -- "$copy")")/token.object
    if [ -s "$copy" ] && [ ! -s "$object" ]; then
      [ -d "$(dirname -- "$object")" ] || die "the token's folder $(dirname -- "$object") is gone, and its keys with it"
      die "$object is empty (a crash during a login does this). Put the copy back with:
  cp -p -- $(quote "$copy") $(quote "$object")"
    fi
  done
}

# A copy that exists is kept: it was made when the token was known to be good.
copy_tokens() {
  local object folder
  for object in "$directory"/tokens/*/token.object; do
    folder=$directory/token-copy/$(basename -- "$(dirname -- "$object")")
    if [ -s "$object" ] && [ ! -s "$folder/token.object.copy" ]; then
      mkdir -p -- "$folder"
      cp -- "$object" "$folder/token.object.new"
      sync -- "$folder/token.object.new"
      mv -- "$folder/token.object.new" "$folder/token.object.copy"
    fi
  done
}

has_token() {
  local object
  for object in "$directory"/tokens/*/token.object; do
    [ ! -e "$object" ] || return 0
  done
  return 1
}

mkdir -p -- "$directory"
directory=$(cd -- "$directory" && pwd -P)
refuse_lost_token

if [ -s "$directory/label" ]; then
  [ "$(cat -- "$directory/label")" = "$label" ] ||
    die "$directory holds a token labelled $(quote "$(cat -- "$directory/label")"), not $(quote "$label")"
  has_token || die "$directory/tokens holds no token any more; the keys are gone with it"
  write_configuration
  copy_tokens
  echo "token $(quote "$label") in $directory is kept as it is"
  exit 0
fi
if has_token; then
  die "making the token was interrupted before it held any key. Start again after:
  rm -r -- $(quote "$directory")"
fi

estia=${ESTIA:-$ESTIA_ROOT/build/release/bin/estia}
[ -x "$estia" ] || die "$estia is not built: cmake --preset release && cmake --build --preset release --target estia"
module=$(softhsm_module)
mkdir -p -- "$directory/tokens"
write_configuration
make_pin "$directory/so-pin"
make_pin "$directory/pin"
SOFTHSM2_CONF=$directory/softhsm2.conf "$estia" token init --module "$module" --label "$label" \
  --so-pin-file "$directory/so-pin" --pin-file "$directory/pin"
copy_tokens
printf '%s\n' "$label" >"$directory/label.new"
mv -- "$directory/label.new" "$directory/label"
echo "token $(quote "$label") is ready in $directory"
