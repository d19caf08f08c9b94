# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034  # module, token, ... are hsm.sh's
# tpm2-pkcs11 over a software TPM (swtpm), through a resource manager on a message bus of its own. Needs the Debian packages
# libtpm2-pkcs11-1 swtpm tpm2-abrmd libtss2-tcti-tabrmd0 dbus-daemon. Sourced by tests/hsm.sh.
for tool in swtpm tpm2-abrmd dbus-daemon; do
  command -v "$tool" >/dev/null ||
    die "$tool is missing: apt-get install libtpm2-pkcs11-1 swtpm tpm2-abrmd libtss2-tcti-tabrmd0 dbus-daemon"
done
module=$(dpkg -L libtpm2-pkcs11-1 | awk '/\/pkcs11\/libtpm2_pkcs11\.so$/ { print; exit }')
token=estia-conformance
pin_file=${work:?}/pin
for file in "$work/pin" "$work/so-pin"; do
  (umask 077 && od -An -v -N16 -tx1 /dev/urandom | tr -d ' \n' >"$file")
done
mkdir -- "$work/tpm" "$work/store"
export DBUS_SESSION_BUS_ADDRESS=unix:path=$work/bus TPM2_PKCS11_STORE=$work/store TPM2_PKCS11_TCTI=tabrmd:bus_type=session

# await PATH: a socket that a child makes.
await() {
  local _
  for _ in $(seq 100); do
    [ ! -S "$1" ] || return 0
    sleep 0.1
  done
  die "$1 does not come: $(tail -n 1 -- "$work/tpm.log")"
}

swtpm socket --tpm2 --tpmstate "dir=$work/tpm" --server "type=unixio,path=$work/tpm.socket" \
  --ctrl "type=unixio,path=$work/tpm.socket.ctrl" --flags not-need-init,startup-clear >"$work/tpm.log" 2>&1 &
children+=("$!")
dbus-daemon --session --nofork --address="$DBUS_SESSION_BUS_ADDRESS" >>"$work/tpm.log" 2>&1 &
children+=("$!")
await "$work/tpm.socket"
await "$work/bus"
# It refuses root unless told, so that no service runs as root by mistake.
tpm2-abrmd --session --allow-root "--tcti=swtpm:path=$work/tpm.socket" >>"$work/tpm.log" 2>&1 &
children+=("$!")
made=no
for _ in $(seq 50); do
  if "$ESTIA_ROOT/build/dev/bin/token_maker" "$module" "$work/so-pin" "$pin_file" "$token" >>"$work/tpm.log" 2>&1; then
    made=yes
    break
  fi
  sleep 0.2
done
[ "$made" = yes ] || die "the TPM makes no token: $(tail -n 1 -- "$work/tpm.log")"
none=a_TPM_has_no_such_key
leave=keys_that_can_leave_are_refused
capabilities="+wrong-pin -ca-keys=every_key_of_tpm2-pkcs11_may_decrypt_too -Ed25519=$none
  -fixed-attributes=tpm2-pkcs11_changes_what_it_says_of_a_key_(which_stays_in_the_TPM) -extractable=$leave
  -P-521=tpm2-pkcs11_gives_it_a_malformed_public_key -RSA-4096=swtpm_makes_none
  -pss-by-provider=tpm2-pkcs11_does_not_list_CKM_RSA_PKCS_PSS -serverkeygen=$leave -serverkeygen-rsa=$leave
  -serverkeygen-Ed25519=$none -hsm-wrapped=$leave"
