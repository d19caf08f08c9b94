// SPDX-License-Identifier: Apache-2.0
#include "server/provision/revoke.h"

#include <algorithm>
#include <array>

#include "crypto/base/error.h"

namespace estia::provision {
namespace {

struct Reason {
  std::string_view name;
  int code;
};
constexpr std::array<Reason, 8> kReasons{{{"unspecified", 0},
                                          {"keyCompromise", 1},
                                          {"cACompromise", 2},
                                          {"affiliationChanged", 3},
                                          {"superseded", 4},
                                          {"cessationOfOperation", 5},
                                          {"privilegeWithdrawn", 9},
                                          {"aACompromise", 10}}};

[[noreturn]] void refuse_serial(std::string_view text) {
  throw Error(ErrorCode::config, "serial.invalid",
              "'" + std::string(text) + "' is not a serial number: 1 to 20 octets in hexadecimal");
}

ca::AuditEvent event(Instant now, const std::string& who, const char* what, const Bytes& serial,
                     std::string detail) {
  return {.at = now,
          .who = who,
          .what = what,
          .outcome = "ok",
          .object = to_hex(serial),
          .detail = std::move(detail)};
}

}  // namespace

Bytes parse_serial(std::string_view text) {
  constexpr std::size_t kMostOctets = 20;
  std::string digits;
  std::ranges::copy_if(text, std::back_inserter(digits), [](char c) { return c != ':'; });
  if (digits.size() % 2 != 0) {
    digits.insert(digits.begin(), '0');  // some tools drop the leading zero
  }
  Bytes serial;
  try {
    serial = from_hex(digits);
  } catch (const Error&) {
    refuse_serial(text);
  }
  // The store knows serials as magnitudes, without the zero octet that keeps DER's sign positive.
  serial.erase(serial.begin(), std::ranges::find_if(serial, [](auto octet) { return octet != 0; }));
  if (serial.empty() || serial.size() > kMostOctets) {
    refuse_serial(text);
  }
  return serial;
}

int parse_reason(std::string_view name) {
  const auto found = std::ranges::find(kReasons, name, &Reason::name);
  if (found == kReasons.end()) {
    std::string names;
    for (const Reason& reason : kReasons) {
      names += (names.empty() ? "" : ", ") + std::string(reason.name);
    }
    throw Error(ErrorCode::config, "revoke.reason",
                "'" + std::string(name) + "' is not one of " + names);
  }
  return found->code;
}

std::string_view reason_name(int code) noexcept {
  if (code == ca::kCertificateHold) {
    return "certificateHold";
  }
  const auto found = std::ranges::find(kReasons, code, &Reason::code);
  return found == kReasons.end() ? "unspecified" : found->name;
}

void revoke(ca::Registry& registry, const Clock& clock, const std::string& who, const Bytes& serial,
            int reason) {
  const Instant now = clock.now();
  registry.revoke(
      serial, {.at = now, .reason = reason},
      event(now, who, "certificate.revoked", serial, "reason=" + std::string(reason_name(reason))));
}

void hold(ca::Registry& registry, const Clock& clock, const std::string& who, const Bytes& serial) {
  const Instant now = clock.now();
  registry.revoke(serial, {.at = now, .reason = ca::kCertificateHold},
                  event(now, who, "certificate.held", serial, ""));
}

void release(ca::Registry& registry, const Clock& clock, const std::string& who,
             const Bytes& serial) {
  registry.release(serial, event(clock.now(), who, "certificate.released", serial, ""));
}

}  // namespace estia::provision
