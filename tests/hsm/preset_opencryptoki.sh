# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034  # module, token, ... are hsm.sh's
# opencryptoki's software token, with its daemon, in a mount namespace: the machine's own tokens are not seen. Needs root and the
# Debian package opencryptoki. Sourced by tests/hsm.sh.
[ "$(id -u)" = 0 ] || die "opencryptoki's daemon needs root"
command -v pkcsslotd >/dev/null || die "opencryptoki is not installed: apt-get install opencryptoki"
module=$(dpkg -L opencryptoki | awk '/\/pkcs11\/PKCS11_API\.so$/ { print; exit }')
token=estia-conformance
pin_file=${work:?}/pin
# The PIN that the package gives every new token's security officer; a user's PIN has 8 characters at most.
(umask 077 && printf '87654321' >"$work/so-pin" && od -An -v -N4 -tx1 /dev/urandom | tr -d ' \n' >"$pin_file")
cat >"$work/daemon.sh" <<'DAEMON'
set -e
for place in /var/lib/opencryptoki /etc/opencryptoki /run /dev/shm; do
  mount -t tmpfs tmpfs "$place"
done
mkdir -p /var/lib/opencryptoki/swtok/TOK_OBJ /run/lock/opencryptoki/swtok /run/opencryptoki
chgrp -R pkcs11 /var/lib/opencryptoki /run/lock/opencryptoki
chmod -R 0770 /var/lib/opencryptoki /run/lock/opencryptoki
printf 'version opencryptoki-3.1\n\nslot 3\n{\nstdll = libpkcs11_sw.so\n}\n' >/etc/opencryptoki/opencryptoki.conf
exec pkcsslotd -f
DAEMON
unshare --mount bash "$work/daemon.sh" >"$work/daemon.log" 2>&1 &
daemon=$!
children+=("$daemon")
launcher=(nsenter --mount --target "$daemon")
for _ in $(seq 100); do
  ! "${launcher[@]}" pkcsconf -t >/dev/null 2>&1 || break
  sleep 0.1
done
"${launcher[@]}" "$ESTIA_ROOT/build/dev/bin/token_maker" "$module" "$work/so-pin" "$pin_file" "$token" ||
  die "opencryptoki makes no token: $(tail -n 1 -- "$work/daemon.log")"
none=Debian_12_builds_it_without_curves
way=Estia_finds_out_how_keys_leave_with_a_P-256_key
capabilities="+wrong-pin -P-256=$none -P-384=$none -P-521=$none -Ed25519=$none -serverkeygen=$none
  -serverkeygen-Ed25519=$none -serverkeygen-rsa=$way -hsm-wrapped=$way"
