# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the flows of flows.sh are made of: requests and certificates by openssl, answers by curl, a manufacturer by
# `openssl ca`. Sourced by flows.sh, never run. All files are in the directory it works in.
# est, issuing and run are set by flows.sh, which also uses present.
# shellcheck disable=SC2154,SC2034

operator() { "$ESTIA" "$@" --state "$ESTIA_STATE"; }

# new_key FILE EC|RSA
new_key() {
  case $2 in
    EC) openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" ;;
    RSA) openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$1" ;;
  esac
}

# new_request NAME SUBJECT [OPENSSL-ARGUMENT...]: NAME.req for the key NAME.key
new_request() {
  local name=$1 subject=$2
  shift 2
  openssl req -new -key "$name.key" -subj "$subject" "$@" -outform DER | base64 >"$name.req"
}

# post OPERATION NAME STATUS [CURL-ARGUMENT...]: sends NAME.req and wants this status
post() {
  local operation=$1 name=$2 wanted=$3 status
  shift 3
  rm -f -- answer
  status=$(curl -q -sS --noproxy '*' --max-time 60 --cacert "$ESTIA_CA" -H 'Content-Type: application/pkcs10' \
    --data-binary "@$name.req" -o answer -w '%{http_code}' "$@" "$est/$operation")
  [ "$status" = "$wanted" ] ||
    fail "$operation answered $status, not $wanted: $(head -c 300 -- answer 2>/dev/null || true)"
}

# certificate NAME: the answer is a certificate of our CA for NAME.key, and becomes NAME.pem
certificate() {
  base64 -d <answer | openssl pkcs7 -inform DER -print_certs | openssl x509 -out "$1.pem"
  openssl verify -CAfile "$ESTIA_CA" "$1.pem" >verify.log
  [ "$(openssl x509 -in "$1.pem" -noout -pubkey)" = "$(openssl pkey -in "$1.key" -pubout)" ] ||
    fail "the certificate holds another key"
}

# made_key NAME: the answer is a key that was made here, with its certificate; they become NAME.key and NAME.pem
made_key() {
  local end
  tr -d '\r' <answer >answer.parts
  for end in pkcs8 pkcs7-mime; do
    awk -v type="Content-Type: application/$end" 'index($0, type) == 1 {on = 1; next} /^--/ {on = 0} on && NF && !/^Content-/' \
      answer.parts | base64 -d >"answer.$end"
  done
  openssl pkey -inform DER -in answer.pkcs8 -out "$1.key"
  base64 <answer.pkcs7-mime >answer
  certificate "$1"
  rm -f -- answer.parts answer.pkcs8 answer.pkcs7-mime
}

serial_of() { openssl x509 -in "$1.pem" -noout -serial | cut -d= -f2; }
username_of() { operator cert show --serial "$(serial_of "$1")" | sed -n 's/^username *//p'; }

# device NAME: how curl presents its certificate
device() { present=(--cert "$1.pem" --key "$1.key"); }

# register USERNAME PROFILE SUBJECT [ESTIA-ARGUMENT...]
register() {
  local username=$1 profile=$2 subject=$3
  shift 3
  operator entity add --username "$username" --ca "$issuing" --end-entity-profile "names-$run" \
    --certificate-profile "$profile-$run" --subject "$subject" "$@" >entity.log
}

# request_with_code NAME USERNAME: an enrolment code in challengePassword, never on a command line
request_with_code() {
  operator code new --username "$2" --hours 1 --code-file "$1.code" >code.log
  printf '%s\n' '[req]' 'prompt = no' 'distinguished_name = name' 'attributes = attributes' '[name]' "CN = $2" \
    '[attributes]' "challengePassword = $(cat -- "$1.code")" >"$1.cnf"
  openssl req -new -key "$1.key" -config "$1.cnf" -outform DER | base64 >"$1.req"
}

# A manufacturer's root, the CA below it that makes devices' certificates, and its CRL.
make_vendor() {
  new_key root.key EC
  openssl req -new -x509 -key root.key -subj "/O=Vendor/CN=Vendor Root $run" -days 30 -out root.pem
  printf '%s\n' 'basicConstraints = critical, CA:TRUE' 'keyUsage = critical, keyCertSign, cRLSign' \
    'subjectKeyIdentifier = hash' 'authorityKeyIdentifier = keyid' >ca.ext
  new_key maker.key EC
  openssl req -new -key maker.key -subj "/O=Vendor/CN=Vendor Devices $run" -out maker.csr
  openssl x509 -req -in maker.csr -CA root.pem -CAkey root.key -CAcreateserial -days 20 -extfile ca.ext \
    -out maker.pem 2>x509.log
  printf '%s\n' '[ca]' 'default_ca = ca' '[ca]' 'database = index.txt' 'crlnumber = crlnumber' 'default_md = sha256' \
    'crl_extensions = crl' '[crl]' 'authorityKeyIdentifier = keyid' >vendor.cnf
  : >index.txt
  echo 01 >crlnumber
  openssl ca -config vendor.cnf -gencrl -keyfile maker.key -cert maker.pem -crldays 7 -out maker.crl 2>ca.log
}

# make_idevid NAME SERIAL: a device as it leaves the factory; NAME.pem also has the CA between, as TLS wants it
make_idevid() {
  new_key "$1.key" EC
  openssl req -new -key "$1.key" -subj "/O=Vendor/CN=Pump/serialNumber=$2" -out "$1.csr"
  printf '%s\n' 'basicConstraints = CA:FALSE' 'keyUsage = critical, digitalSignature' >device.ext
  openssl x509 -req -in "$1.csr" -CA maker.pem -CAkey maker.key -CAcreateserial -days 20 -extfile device.ext \
    -out "$1.leaf" 2>x509.log
  cat "$1.leaf" maker.pem >"$1.pem"
  openssl req -in "$1.csr" -outform DER | base64 >"$1.req"
}
