#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# demo.sh [--once] [--port N]: from a fresh tree to a certificate signed inside a PKCS#11 token.
# Installs what is missing, builds, makes a SoftHSM token and a CA in it, starts estiad on loopback and enrols a
# device with curl and openssl. The server stays up until Ctrl-C; with --once it stops after the enrolment.
# Everything it makes is in demo/ of the source root; a second run reuses it.
set -euo pipefail
umask 077
# shellcheck source=softhsm-setup/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

readonly kSteps=7 kReadySeconds=60 kStopSeconds=30
demo=$ESTIA_ROOT/demo
bin=$ESTIA_ROOT/build/release/bin
once=no
port=8443
estiad_pid=""

while [ $# -gt 0 ]; do
  case $1 in
    --once) once=yes; shift ;;
    --port) [ $# -ge 2 ] || die "--port needs a number"; port=$2; shift 2 ;;
    -h | --help) echo "usage: demo.sh [--once] [--port N]"; exit 0 ;;
    *) die "$1 is no option. usage: demo.sh [--once] [--port N]" ;;
  esac
done
case $port in
  "" | *[!0-9]* | ??????*) die "--port needs a number from 0 to 65535" ;;
esac
[ "$port" -le 65535 ] || die "--port needs a number from 0 to 65535"

# Stops the server this script started, by its own pid, and waits for it.
stop_estiad() {
  [ -n "$estiad_pid" ] || return 0
  local pid=$estiad_pid deadline=$((SECONDS + kStopSeconds))
  estiad_pid=""
  rm -f -- "$demo/ready" "$demo/estiad.pid"
  kill -TERM "$pid" 2>/dev/null || true
  while kill -0 "$pid" 2>/dev/null && [ "$SECONDS" -lt "$deadline" ]; do
    sleep 0.1
  done
  if kill -KILL "$pid" 2>/dev/null; then
    echo "demo.sh: estiad did not stop within $kStopSeconds s and was killed" >&2
  fi
  wait "$pid" 2>/dev/null || true
}
trap stop_estiad EXIT
# Ctrl-C is the way out once the server is up, and an interruption before that.
interrupt_status=130
trap 'echo; echo "stopping"; exit "$interrupt_status"' INT
trap 'exit 143' TERM HUP

port_is_taken() {
  [ "$port" -ne 0 ] && (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null
}

# Two servers on one state would spoil each other's files before the second one is refused.
refuse_running_demo() {
  local pid
  pid=$(cat -- "$demo/estiad.pid" 2>/dev/null || true)
  if [ -n "$pid" ] && [ "$(readlink -- "/proc/$pid/exe")" = "$bin/estiad" ]; then
    die "this demo runs already: end it by Ctrl-C in its terminal (or: kill $pid)"
  fi
}

refuse_taken_port() {
  ! port_is_taken || die "port $port is taken by another program: choose another: --port N"
}

build() {
  # A first build needs room for objects and the linker; later ones next to nothing.
  [ -x "$bin/estiad" ] || need_disk "$ESTIA_ROOT" 1000
  configure release
  cmake --build "$ESTIA_ROOT/build/release" --target estiad estia -j "$(build_jobs)" </dev/null ||
    die "the build failed, see above"
}

make_token() {
  if [ -e "$demo/state/estia.toml" ] && [ ! -s "$demo/token/label" ]; then
    die "demo/state belongs to a token that is gone. Start again after: rm -r -- $(quote "$demo")"
  fi
  ESTIA=$bin/estia "$ESTIA_ROOT/softhsm-setup/token.sh" "$demo/token" --label estia-demo
}

make_ca() {
  if [ -e "$demo/state/estia.toml" ]; then
    echo "demo/state is kept as it is"
    return
  fi
  if [ -e "$demo/state" ]; then
    die "making the CA was interrupted. Start again after: rm -r -- $(quote "$demo")"
  fi
  "$bin/estia" init --state "$demo/state" --module "$(softhsm_module)" --token estia-demo \
    --pin-file "$demo/token/pin" --ra-scope any --dns localhost --ip 127.0.0.1
}

start_estiad() {
  rm -f -- "$demo/ready" "$demo/demo.env"
  : >"$demo/estiad.log"
  "$bin/estiad" --state "$demo/state" --port "$port" --ready-file "$demo/ready" \
    >>"$demo/estiad.log" 2>&1 </dev/null &
  estiad_pid=$!
  printf '%s\n' "$estiad_pid" >"$demo/estiad.pid"
  local deadline=$((SECONDS + kReadySeconds))
  until [ -s "$demo/ready" ]; do
    if ! kill -0 "$estiad_pid" 2>/dev/null; then
      tail -n 5 -- "$demo/estiad.log" >&2
      die "estiad did not start (whole log: $demo/estiad.log)"
    fi
    [ "$SECONDS" -lt "$deadline" ] || die "estiad was not ready within $kReadySeconds s (log: $demo/estiad.log)"
    sleep 0.1
  done
  port=$(head -n 1 -- "$demo/ready")
}

# Writes what other clients need: demo/demo.env to be sourced, demo/curl.conf for curl -K.
write_client_files() {
  user=$(head -n 1 -- "$demo/state/ra-account.user")
  password=$(head -n 1 -- "$demo/state/ra-account.password")
  # A bare system may have no /etc/hosts; the server's certificate names both.
  host=localhost
  getent ahostsv4 localhost >/dev/null || host=127.0.0.1
  {
    printf 'ESTIA_HOST=%s\nESTIA_PORT=%s\n' "$(quote "$host")" "$(quote "$port")"
    printf 'ESTIA_CA=%s\n' "$(quote "$demo/state/ca-bundle.pem")"
    printf 'ESTIA_USER=%s\nESTIA_PASSWORD=%s\n' "$(quote "$user")" "$(quote "$password")"
    printf 'ESTIA_STATE=%s\n' "$(quote "$demo/state")"
  } >"$demo/demo.env.new"
  mv -- "$demo/demo.env.new" "$demo/demo.env"
  local escaped=$user:$password
  escaped=${escaped//\\/\\\\}
  escaped=${escaped//\"/\\\"}
  printf 'user = "%s"\n' "$escaped" >"$demo/curl.conf"
}

# Enrols a device as its owner would: the key stays here, the request goes out, a certificate comes back.
enrol() {
  device=$demo/devices/device-$(date +%Y%m%d-%H%M%S)-$$
  local name=${device##*/} status
  mkdir -p -- "$device"
  {
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$device/key.pem"
    openssl req -new -key "$device/key.pem" -subj "/CN=$name" -addext "subjectAltName=DNS:$name.example.com" \
      -outform DER -out "$device/request.der"
  } 2>"$device/openssl.log" || die "openssl could not make the request: $(tail -n 1 -- "$device/openssl.log")"
  base64 <"$device/request.der" >"$device/request.b64"
  status=$(curl -q -sS --noproxy '*' --max-time 30 -K "$demo/curl.conf" --cacert "$demo/state/ca-bundle.pem" \
    -H 'Content-Type: application/pkcs10' --data-binary "@$device/request.b64" \
    -o "$device/response" -w '%{http_code}' "https://$host:$port/.well-known/est/simpleenroll") ||
    die "curl could not talk to estiad (log: $demo/estiad.log)"
  [ "$status" = 200 ] ||
    die "estiad answered $status: $(head -c 300 -- "$device/response") (log: $demo/estiad.log)"
}

# What came back must chain to our root and hold the key that was made here.
check_certificate() {
  tr -d '\r\n' <"$device/response" | base64 -d >"$device/certs-only.p7" || die "the answer is not base64"
  openssl pkcs7 -inform DER -in "$device/certs-only.p7" -print_certs | openssl x509 -out "$device/certificate.pem" ||
    die "the answer is not a certs-only message"
  openssl verify -CAfile "$demo/state/ca-bundle.pem" "$device/certificate.pem" ||
    die "the certificate does not chain to the demo's root"
  [ "$(openssl x509 -in "$device/certificate.pem" -noout -pubkey)" = "$(openssl pkey -in "$device/key.pem" -pubout)" ] ||
    die "the certificate holds another key"
  openssl x509 -in "$device/certificate.pem" -noout -serial -subject -issuer -dates \
    -ext subjectAltName,basicConstraints,keyUsage,extendedKeyUsage
}

say_what_next() {
  cat <<EOF

A device was enrolled over EST; its certificate was signed inside the token in demo/token.
  certificate   $device/certificate.pem
  for clients   $demo/demo.env (host, port, CA bundle, account)
  server log    $demo/estiad.log

The demo's account may enrol ANY name: its RA scope is 'any', so that any CSR can be tried. Try next:
  curl --cacert $(quote "$demo/state/ca-bundle.pem") https://$host:$port/.well-known/est/cacerts
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout my.key \\
    -subj /CN=my-device -outform DER | base64 >my.csr
  curl -K $(quote "$demo/curl.conf") --cacert $(quote "$demo/state/ca-bundle.pem") \\
    -H 'Content-Type: application/pkcs10' --data-binary @my.csr \\
    https://$host:$port/.well-known/est/simpleenroll | base64 -d | openssl pkcs7 -inform DER -print_certs
EOF
}

need_proc
need_memory
refuse_running_demo
refuse_taken_port
step 1 $kSteps "installing packages, about 1 min the first time"
"$ESTIA_ROOT/softhsm-setup/packages.sh" build
step 2 $kSteps "building estiad and estia, about 4 min the first time"
build
mkdir -p -- "$demo"
chmod 700 -- "$demo"
step 3 $kSteps "making a SoftHSM token"
make_token
export SOFTHSM2_CONF=$demo/token/softhsm2.conf
step 4 $kSteps "making root and issuing CA inside the token"
make_ca
step 5 $kSteps "starting estiad on loopback"
refuse_taken_port
start_estiad
write_client_files
step 6 $kSteps "enrolling a device with curl and openssl"
enrol
step 7 $kSteps "checking its certificate"
check_certificate
say_what_next
if [ "$once" = yes ]; then
  stop_estiad
  echo "estiad is stopped; softhsm-setup/demo.sh starts it again"
  exit 0
fi
echo
echo "estiad listens on https://$host:$port (loopback) until Ctrl-C"
interrupt_status=0
wait "$estiad_pid" || true
die "estiad has ended by itself (log: $demo/estiad.log)"
