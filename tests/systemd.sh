#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# systemd.sh: estiad as a service of a real systemd (docs/operations.md), which hands the token's PIN over as a credential.
# Boots systemd in a container over a copy-on-write view of this machine; nothing here is changed. Needs root, and the
# Debian package systemd-container. Ends with PASS or FAIL; the container's log stays.
set -euo pipefail
# shellcheck source=softhsm-setup/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../softhsm-setup/lib.sh"

readonly kBootSeconds=180
readonly kDir=/run/estia-systemd kCredential=/etc/estia/token-pin
bin=$ESTIA_ROOT/build/dev/bin

# In the container: by the unit that the outer half wrote.

as_estia() {
  runuser -u estia -- env -C "$kDir" SOFTHSM2_CONF="$kDir/token/softhsm2.conf" "$@"
}

claim() {
  echo "ok: $*"
}

make_service() {
  useradd --system --no-create-home estia
  install -d -o estia -g estia -m 700 "$kDir"
  as_estia env ESTIA="$bin/estia" "$ESTIA_ROOT/softhsm-setup/token.sh" "$kDir/token" --label estia-systemd
  as_estia "$bin/estia" init --state "$kDir/state" --module "$(softhsm_module)" --token estia-systemd \
    --pin-file "$kDir/token/pin" --ra-scope any --dns localhost --ip 127.0.0.1
  sed -i 's|^pin_file = .*|pin_credential = "token-pin"|' "$kDir/state/estia.toml"
  install -d -m 755 /etc/estia
  install -o root -g root -m 600 "$kDir/token/pin" $kCredential
  rm -- "$kDir/token/pin"
}

# write_unit LINE: LINE is where the PIN comes from.
write_unit() {
  cat >/run/systemd/system/estiad.service <<EOF
[Service]
Type=notify
User=estia
$1
Environment=SOFTHSM2_CONF=$kDir/token/softhsm2.conf
ExecStart=$bin/estiad --state $kDir/state --port 0 --ready-file $kDir/ready
LimitMEMLOCK=64M
ProtectSystem=full
NoNewPrivileges=yes
EOF
  systemctl daemon-reload
}

expect_serving() {
  local port
  port=$(head -n 1 "$kDir/ready")
  curl -q -sSf --max-time 20 --cacert "$kDir/state/ca-bundle.pem" -o /dev/null "https://localhost:$port/.well-known/est/cacerts"
}

token_is() {
  as_estia "$bin/estia" token status --state "$kDir/state" | awk -v state="$1" '
    index($0, state) { found = 1 } END { exit !found }'
}

inside() {
  make_service
  ! as_estia cat $kCredential 2>/dev/null || die "estiad's user can read the PIN's file"
  write_unit "LoadCredential=token-pin:$kCredential"
  systemctl start estiad
  expect_serving
  token_is attached
  as_estia "$bin/estia" token probe --state "$kDir/state"
  claim "LoadCredential: ready by notify, logged in, signs; its user cannot read the file"
  local pin
  pin=$(cat $kCredential)
  ! journalctl -q --no-pager | awk -v pin="$pin" 'index($0, pin) { found = 1 } END { exit !found }' || die "the PIN is in the journal"
  systemctl stop estiad
  [ "$(systemctl show -P Result estiad)" = success ] || die "estiad did not end well"
  claim "SIGTERM: a clean end; no PIN in the journal"

  systemd-creds encrypt --with-key=host --name=token-pin $kCredential $kCredential.cred 2>/dev/null
  write_unit "LoadCredentialEncrypted=token-pin:$kCredential.cred"
  systemctl start estiad
  token_is attached
  systemctl stop estiad
  claim "LoadCredentialEncrypted: logged in"

  printf 'a-wrong-pin\n' >$kCredential
  write_unit "LoadCredential=token-pin:$kCredential"
  systemctl start estiad
  expect_serving
  token_is "PIN refused"
  systemctl restart estiad
  token_is "PIN refused"
  [ -s "$kDir/state/token-pin-refused" ] || die "the refused PIN is not noted"
  claim "a wrong credential: cacerts is served, the PIN is not tried again by the next start"
  printf '%s\n' "$pin" >$kCredential
  ! as_estia "$bin/estia" token activate --state "$kDir/state" 2>/dev/null || die "the credential of the running unit has changed"
  systemctl restart estiad
  as_estia "$bin/estia" token activate --state "$kDir/state"
  token_is attached
  systemctl stop estiad
  claim "the right one: after a restart and the operator's order"

  rm -- $kCredential $kCredential.cred
  write_unit ""
  ! systemctl start estiad 2>/dev/null || die "it starts without the credential"
  journalctl -q --no-pager -u estiad | awk '/token.no_credentials/ { found = 1 } END { exit !found }' || die "it does not say why"
  claim "without a credential it says so and does not start"
}

# Outside.

outside() {
  [ "$(id -u)" = 0 ] || die "a container needs root"
  command -v systemd-nspawn >/dev/null || die "systemd-nspawn is missing: apt-get install systemd-container"
  work=$(mktemp -d /var/tmp/estia-systemd.XXXXXX)
  root=$work/root
  log=$work/log
  result=FAIL
  trap finish EXIT
  step 1 2 "building"
  "$ESTIA_ROOT/softhsm-setup/packages.sh" test
  configure dev
  run_quietly "$work/build.log" cmake --build "$ESTIA_ROOT/build/dev" --target estiad estia -j "$(build_jobs)"
  step 2 2 "booting systemd"
  mkdir -p -- "$root" "$work/units/multi-user.target.wants"
  mount --bind / "$root"
  cat >"$work/units/estia-check.service" <<EOF
[Service]
Type=oneshot
StandardOutput=append:/run/estia-check/output
StandardError=inherit
ExecStart=$ESTIA_ROOT/tests/systemd.sh --inside
ExecStopPost=/bin/sh -c 'echo "result \$SERVICE_RESULT" >>/run/estia-check/output; systemctl --no-block poweroff'
EOF
  ln -s ../estia-check.service "$work/units/multi-user.target.wants/"
  mkdir -- "$work/result"
  timeout "$kBootSeconds" systemd-nspawn --quiet --directory="$root" --volatile=overlay --register=no --keep-unit --private-network \
    --bind-ro="$ESTIA_ROOT" --bind="$work/result:/run/estia-check" --bind-ro="$work/units:/run/systemd/system.control" \
    /lib/systemd/systemd --unit=multi-user.target >"$log" 2>&1 </dev/null || true
  [ -e "$work/result/output" ] || die "the container did not come to it, see $log"
  cat -- "$work/result/output" >>"$log"
  awk '/^(ok|systemd.sh): /' "$work/result/output"
  [ "$(tail -n 1 -- "$work/result/output")" = "result success" ] || exit 1
  result=PASS
}

finish() {
  ! mountpoint -q "$root" || umount "$root" || echo "systemd.sh: $root is still mounted" >&2
  printf '%s: estiad as a service of systemd %s; log: %s\n' "$result" \
    "$(/lib/systemd/systemd --version | awk 'NR == 1 { print $2 }')" "$log"
}

case ${1:-} in
  "") outside ;;
  --inside) inside ;;
  *) die "usage: systemd.sh" ;;
esac
