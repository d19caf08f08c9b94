#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# flows.sh [--renew] FILE [DIRECTORY]: the flows that an operator who comes from EJBCA tries first, against a running
# estiad, with curl and openssl alone on the side of the devices; `estia` is the operator's part.
#   FILE       sets ESTIA_HOST, ESTIA_PORT, ESTIA_CA and ESTIA_STATE (demo/demo.env does); perhaps ESTIA, the path of
#              `estia` (build/release/bin/estia), and ESTIA_ISSUING, the name of the issuing CA (issuing)
#   DIRECTORY  keeps keys, certificates and what was configured; without it all of that is removed again
#   --renew    only renews what an earlier run left in DIRECTORY: for after a restart
# Each step prints PASS; the first FAIL ends it with status 1. It can be run as often as you like: names are new each
# time. End entities and certificates stay on record, as a CA's records do.
set -euo pipefail
umask 077
export LC_ALL=C

root=$(unset CDPATH && cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd -P)
usage="usage: flows.sh [--renew] FILE [DIRECTORY]"
# shellcheck source=tests/e2e/support/flow_steps.sh
. "$root/tests/e2e/support/flow_steps.sh"
renew=no
current="reading the arguments"
work=""
configured=no
keep=no

fail() {
  printf 'flows.sh: %s\n' "$*" >&2
  exit 1
}

begin() { current=$*; } # what FAIL names, should anything below not succeed
pass() { printf 'PASS  %s\n' "$current"; }

# What this run added to the configuration has its number at the end of its name.
remove_configuration() {
  operator config export |
    awk -v mark="-$run\"" 'BEGIN { RS = ""; ORS = "\n\n" } index($0, mark) == 0' >"$work/without.toml"
  operator apply "$work/without.toml" --yes >"$work/remove.log"
}

at_exit() {
  local status=$?
  trap - EXIT
  [ "$status" -eq 0 ] || printf 'FAIL  %s\n' "$current"
  if [ "$keep" = no ] && [ -n "$work" ]; then
    if [ "$configured" = yes ] && ! remove_configuration; then
      echo "flows.sh: objects named *-$run are still configured" >&2
      status=1
    fi
    rm -rf -- "$work"
  fi
  [ "$status" -eq 0 ] || exit 1
}
trap at_exit EXIT
trap 'exit 1' INT TERM HUP

configure() {
  openssl rand -base64 24 >account.password
  printf 'user = "line:%s"\n' "$(cat account.password)" >account.conf
  operator config export >ca.toml
  cat >>ca.toml <<TOML

[[end_entity_profile]]
name = "names-$run"
required = ["CN"]
optional = ["O", "UID", "serialNumber"]
san = ["dns"]

[[certificate_profile]]
name = "device-$run"
validity = "30d"
key_types = ["P-256", "RSA-2048"]
key_usage = ["digitalSignature"]
extended_key_usage = ["clientAuth"]

[[certificate_profile]]
name = "authority-$run"
validity = "30d"
key_types = ["P-256"]
key_usage = ["digitalSignature"]
extended_key_usage = ["clientAuth", "cmcRA"]

[[alias]]
name = "codes-$run"
ca = "$issuing"
mode = "client"
username_field = "CN"
serverkeygen = ["pkcs8"]

[[alias]]
name = "factory-$run"
ca = "$issuing"
mode = "client"
authenticators = ["vendor-certificate"]
username_field = "serialNumber"
serverkeygen = ["pkcs8"]

[[alias]]
name = "plant-$run"
ca = "$issuing"
end_entity_profile = "names-$run"
certificate_profile = "device-$run"
authenticators = ["client-certificate+basic"]
ra_scope = "CN=*, O=Flows, UID=*, serialNumber=*"
name_parameters = ["UID", "SN", "CN"]

[[account]]
alias = "plant-$run"
user = "line"
password_file = "account.password"
generated = true
TOML
  configured=yes
  operator apply ca.toml --yes >apply.log 2>&1 || fail "$(cat apply.log)"
}

# Flow 1, for one kind of key.
code_flow() {
  local kind=$1 name=code-${1,,}
  local username=$name-$run
  begin "1 $kind: cacerts are the CA's certificates"
  curl -q -sS --noproxy '*' --max-time 60 --fail-with-body --cacert "$ESTIA_CA" "$est/codes-$run/cacerts" | base64 -d |
    openssl pkcs7 -inform DER -print_certs -out cacerts.pem
  openssl verify -CAfile "$ESTIA_CA" cacerts.pem >verify.log
  pass
  begin "1 $kind: enrols with a code in challengePassword"
  register "$username" device "O=Flows,CN=$username" --san "dns:$username.example.com"
  new_key "$name.key" "$kind"
  request_with_code "$name" "$username"
  post "codes-$run/simpleenroll" "$name" 200
  certificate "$name"
  [ "$(username_of "$name")" = "$username" ] || fail "it is recorded for $(username_of "$name")"
  pass
  begin "1 $kind: re-enrols with that certificate and a new key"
  renew_code_device "$name" "$kind"
  pass
  begin "1 $kind: once revoked, it re-enrols no more"
  operator revoke --serial "$(serial_of "$name-2")" --reason keyCompromise >revoke.log
  for end in key pem req; do
    mv -- "$name-2.$end" "$name-revoked.$end"
  done
  refuse_revoked "$name"
  pass
}

# renew_code_device NAME KIND: the certificate NAME.pem renews itself; the new one is NAME-2.pem
renew_code_device() {
  new_key "$1-2.key" "$2"
  new_request "$1-2" "/O=Flows/CN=$1-$run" -addext "subjectAltName=DNS:$1-$run.example.com"
  device "$1"
  post "codes-$run/simplereenroll" "$1-2" 200 "${present[@]}"
  certificate "$1-2"
}

refuse_revoked() {
  device "$1-revoked"
  post "codes-$run/simplereenroll" "$1-revoked" 403 "${present[@]}"
}

# Flow 2, for one kind of key.
made_key_flow() {
  local kind=$1 name=made-${1,,}
  local username=$name-$run
  begin "2 $kind: a key is made for a code"
  register "$username" device "O=Flows,CN=$username"
  new_key "$name.key" "$kind"
  request_with_code "$name" "$username"
  post "codes-$run/serverkeygen" "$name" 200
  made_key "$name"
  [ "$(username_of "$name")" = "$username" ] || fail "it is recorded for $(username_of "$name")"
  pass
  begin "2 $kind: and another one with the certificate of the first"
  renew_made_key "$name" "$kind"
  pass
}

# renew_made_key NAME KIND: by the certificate NAME.pem; the new pair is NAME-2
renew_made_key() {
  new_key "$1-2.key" "$2"
  new_request "$1-2" "/O=Flows/CN=$1-$run"
  device "$1"
  post "codes-$run/serverkeygen" "$1-2" 200 "${present[@]}"
  made_key "$1-2"
  ! cmp -s -- "$1.key" "$1-2.key" || fail "it is the same key"
}

# Flow 4
vendor_made_key_flow() {
  begin "4: a key is made for a vendor's certificate"
  make_idevid idevid-made "M-$run"
  register "M-$run" device "O=Flows,CN=valve-$run"
  device idevid-made
  post "factory-$run/serverkeygen" idevid-made 200 "${present[@]}"
  made_key valve
  [ "$(username_of valve)" = "M-$run" ] || fail "it is recorded for $(username_of valve)"
  pass
}

vendor_flow() {
  begin "3: vendor root and intermediate are imported, with a CRL"
  make_vendor
  operator anchor add maker.pem --name "maker-$run" --revocation crl-required --vendor-of "factory-$run" --yes >anchor.log
  operator anchor add root.pem --name "root-$run" --revocation none --yes >anchor.log
  operator anchor crl "maker-$run" maker.crl >crl.log
  pass
  begin "3: a device that is not registered gets nothing"
  make_idevid idevid "S-$run"
  device idevid
  post "factory-$run/simpleenroll" idevid 403 "${present[@]}"
  pass
  begin "3: registered, it enrols with the vendor's certificate"
  register "S-$run" device "O=Flows,CN=pump-$run"
  post "factory-$run/simpleenroll" idevid 200 "${present[@]}"
  cp -- idevid.key pump.key
  certificate pump
  [ "$(username_of pump)" = "S-$run" ] || fail "it is recorded for $(username_of pump)"
  pass
  renew_pump
}

renew_pump() {
  begin "3: re-enrols with its own certificate and a new key"
  new_key pump-2.key EC
  new_request pump-2 "/O=Flows/CN=pump-$run"
  device pump
  post "factory-$run/simplereenroll" pump-2 200 "${present[@]}"
  certificate pump-2
  pass
}

authority_flow() {
  begin "5: an RA certificate is enrolled"
  register "authority-$run" authority "O=Flows,CN=authority-$run"
  new_key authority.key EC
  request_with_code authority "authority-$run"
  post "codes-$run/simpleenroll" authority 200
  certificate authority
  pass
  begin "5: neither the account alone nor the certificate alone is enough"
  new_key meter.key EC
  new_request meter "/O=Flows/CN=meter-$run/serialNumber=4711-$run/UID=u-$run"
  device authority
  post "plant-$run/simpleenroll" meter 401 -K account.conf
  post "plant-$run/simpleenroll" meter 401 "${present[@]}"
  pass
  begin "5: both together are; UID;SN;CN makes the username"
  post "plant-$run/simpleenroll" meter 200 -K account.conf "${present[@]}"
  certificate meter
  [ "$(username_of meter)" = "u-$run" ] || fail "it is recorded for $(username_of meter)"
  new_key sensor.key EC
  new_request sensor "/O=Flows/CN=sensor-$run/serialNumber=4712-$run"
  post "plant-$run/simpleenroll" sensor 200 -K account.conf "${present[@]}"
  certificate sensor
  [ "$(username_of sensor)" = "4712-$run" ] || fail "it is recorded for $(username_of sensor)"
  pass
  renew_meter
}

renew_meter() {
  begin "5: the same name again is a renewal of the same username"
  new_key meter-2.key EC
  new_request meter-2 "/O=Flows/CN=meter-$run/serialNumber=4711-$run/UID=u-$run"
  device authority
  post "plant-$run/simpleenroll" meter-2 200 -K account.conf "${present[@]}"
  certificate meter-2
  [ "$(username_of meter-2)" = "u-$run" ] || fail "it is recorded for $(username_of meter-2)"
  [ "$(operator entity list | grep -c "u-$run")" = 1 ] || fail "there is more than one end entity"
  pass
}

run_flows() {
  begin "aliases and profiles *-$run are configured"
  configure
  pass
  code_flow EC
  code_flow RSA
  made_key_flow EC
  made_key_flow RSA
  vendor_flow
  vendor_made_key_flow
  authority_flow
  echo "SKIP  5: libest's estclient: Debian does not package it (docs/clients.md has its commands)"
}

run_renewals() {
  for kind in EC RSA; do
    begin "1 $kind: what was revoked is still refused"
    refuse_revoked "code-${kind,,}"
    pass
    begin "1 $kind: what was not revoked renews"
    renew_code_device "code-${kind,,}" "$kind"
    pass
  done
  begin "3: the vendor's certificate opens the door no second time"
  make_idevid idevid-again "S-$run"
  device idevid-again
  post "factory-$run/simpleenroll" idevid-again 403 "${present[@]}"
  pass
  renew_pump
  renew_meter
}

if [ "${1:-}" = --renew ]; then
  renew=yes
  shift
fi
[ $# -eq 1 ] || [ $# -eq 2 ] || fail "$usage"
[ "$renew" = no ] || [ $# -eq 2 ] || fail "$usage"
case $1 in
  /*) settings=$1 ;;
  *) settings=$PWD/$1 ;;
esac
# shellcheck source=/dev/null
. "$settings"
for name in ESTIA_HOST ESTIA_PORT ESTIA_CA ESTIA_STATE; do
  [ -n "${!name:-}" ] || fail "$1 does not set $name"
done
ESTIA_CA=$(readlink -e -- "$ESTIA_CA") || fail "the file of ESTIA_CA is not there"
ESTIA_STATE=$(readlink -e -- "$ESTIA_STATE") || fail "the directory of ESTIA_STATE is not there"
ESTIA=$(readlink -m -- "${ESTIA:-$root/build/release/bin/estia}")
[ -x "$ESTIA" ] || fail "$ESTIA is not there: build it, or set ESTIA"
issuing=${ESTIA_ISSUING:-issuing}
est=https://$ESTIA_HOST:$ESTIA_PORT/.well-known/est
present=()
if [ $# -eq 2 ]; then
  keep=yes
  mkdir -p -- "$2"
  work=$(unset CDPATH && cd -- "$2" && pwd -P)
else
  work=$(mktemp -d)
fi
cd -- "$work"
if [ "$renew" = yes ]; then
  [ -s run ] || fail "no earlier run left anything in $work"
  run=$(cat run)
  run_renewals
else
  [ ! -e run ] || fail "$work is from an earlier run: name another directory, or give --renew"
  run=$(date +%Y%m%d%H%M%S)-$$
  echo "$run" >run
  run_flows
fi
echo "all flows passed"
