# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034  # module, token, ... are hsm.sh's
# SoftHSM behind `p11-kit server`: a stand-in for an HSM on the network. Sourced by tests/hsm.sh.
token=estia-remote
pin_file=${work:?}/pin
mkdir -- "$work/tokens"
printf '%s\n' "directories.tokendir = $work/tokens" "objectstore.backend = file" "log.level = ERROR" >"$work/softhsm2.conf"
for file in "$work/pin" "$work/so-pin"; do
  (umask 077 && od -An -v -N16 -tx1 /dev/urandom | tr -d ' \n' >"$file")
done
SOFTHSM2_CONF=$work/softhsm2.conf "$ESTIA_ROOT/build/dev/bin/token_maker" "$(softhsm_module)" "$work/so-pin" "$work/pin" "$token"
SOFTHSM2_CONF=$work/softhsm2.conf p11-kit server --foreground --name "$work/p11" --provider "$(softhsm_module)" \
  "pkcs11:token=$token" >"$work/server.log" 2>&1 &
children+=("$!")
for _ in $(seq 100); do
  [ ! -S "$work/p11" ] || break
  sleep 0.1
done
[ -S "$work/p11" ] || die "p11-kit server does not listen: $(tail -n 1 -- "$work/server.log")"
export P11_KIT_SERVER_ADDRESS=unix:path=$work/p11
module=$(dpkg -L p11-kit-modules | awk '/\/p11-kit-client\.so$/ { print; exit }')
# The protocol of p11-kit 0.24 carries neither EdDSA nor key wrapping.
capabilities="+wrong-pin +close-sessions -Ed25519=p11-kit_0.24_carries_no_EdDSA -serverkeygen=p11-kit_0.24_carries_no_key_wrapping
  -serverkeygen-rsa=p11-kit_0.24_carries_no_key_wrapping -serverkeygen-Ed25519=p11-kit_0.24_carries_no_EdDSA
  -hsm-wrapped=p11-kit_0.24_carries_no_key_wrapping"
