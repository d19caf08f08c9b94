// SPDX-License-Identifier: Apache-2.0
#include "crypto/x509/lint.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "crypto/base/der.h"
#include "crypto/base/error.h"
#include "crypto/x509/extension_list.h"
#include "crypto/x509/name.h"

namespace estia::crypto {
namespace {

/// TBSCertificate taken apart by our own reader, so that the check does not rest on the writer's
/// idea of the structure.
struct Fields {
  ByteView version, serial, algorithm, issuer, validity, subject, spki;
  std::vector<Extension> extensions;
};

class Linter final {
 public:
  Linter(ByteView tbs, const SignatureAlgorithm& algorithm) : algorithm_(algorithm) {
    try {
      split(tbs);
      check_serial();
      check_validity();
      check_names();
      check_extensions();
    } catch (const Error& error) {
      add("structure", std::string(error.what()) + ": " + error.detail());
    }
  }
  std::vector<Finding> take() { return std::move(findings_); }

 private:
  void add(std::string id, std::string text) {
    findings_.push_back({Finding::Severity::error, std::move(id), std::move(text)});
  }

  void split(ByteView tbs) {
    der::check_structure(tbs);
    ByteView rest = tbs;
    ByteView content = der::read(rest).value;
    fields_.version = der::read(content).whole;
    fields_.serial = der::read(content).value;
    fields_.algorithm = der::read(content).whole;
    fields_.issuer = der::read(content).whole;
    fields_.validity = der::read(content).value;
    fields_.subject = der::read(content).whole;
    fields_.spki = der::read(content).whole;
    if (!content.empty()) {
      const der::Element last = der::read(content);
      if (last.tag != 0xA3 || !content.empty()) {
        add("unique_identifier", "only extensions may follow the public key (RFC 5280 4.1.2.8)");
        return;
      }
      fields_.extensions = parse_extensions(last.value);  // refuses an extension that stands twice
    }
    const Bytes v3 = der::tlv(0xA0, der::small_integer(2));
    if (!std::equal(v3.begin(), v3.end(), fields_.version.begin(), fields_.version.end())) {
      add("version", "not v3 (RFC 5280 4.1.2.1)");
    }
    const Bytes& expected = algorithm_.algorithm_identifier;
    if (!std::equal(expected.begin(), expected.end(), fields_.algorithm.begin(),
                    fields_.algorithm.end())) {
      add("signature_algorithm", "differs from the one that will sign (RFC 5280 4.1.1.2)");
    }
  }

  void check_serial() {
    const ByteView serial = fields_.serial;
    if (serial.empty() || serial.size() > 20 || (serial[0] & 0x80U) != 0) {
      add("serial.size", "not 1 to 20 octets, positive (RFC 5280 4.1.2.2)");
    }
    if (std::all_of(serial.begin(), serial.end(), [](auto octet) { return octet == 0; })) {
      add("serial.zero", "zero (RFC 5280 4.1.2.2)");
    }
  }

  /// Comparable text YYYYMMDDHHMMSS, or nullopt.
  std::optional<std::string> time_text(const der::Element& element) {
    std::string text(as_text(element.value));
    const bool utc = element.tag == 0x17;
    if ((!utc && element.tag != 0x18) || text.size() != (utc ? 13U : 15U) || text.back() != 'Z' ||
        !std::all_of(text.begin(), text.end() - 1, [](char c) { return c >= '0' && c <= '9'; })) {
      return std::nullopt;
    }
    text.pop_back();
    // month, day, hour, minute, second: two digits each at the end
    static constexpr std::array<std::string_view, 5> kFirst = {"01", "01", "00", "00", "00"};
    static constexpr std::array<std::string_view, 5> kLast = {"12", "31", "23", "59", "59"};
    for (std::size_t i = 0; i < kFirst.size(); ++i) {
      const auto field = std::string_view(text).substr(text.size() - 10 + 2 * i, 2);
      if (field < kFirst[i] || field > kLast[i]) {
        return std::nullopt;
      }
    }
    if (utc) {
      text.insert(0, text < "50" ? "20" : "19");
    } else if (text < "2050") {
      return std::nullopt;
    }
    return text;
  }

  void check_validity() {
    ByteView rest = fields_.validity;
    const auto not_before = time_text(der::read(rest));
    const auto not_after = time_text(der::read(rest));
    if (!not_before || !not_after || !rest.empty()) {
      add("validity.form",
          "UTCTime through 2049, GeneralizedTime from 2050, seconds, Z (RFC 5280 4.1.2.5)");
    } else if (*not_after < *not_before) {
      add("validity.reversed", "ends before it begins");
    }
  }

  void check_names() {
    const Name issuer = Name::from_der(fields_.issuer);
    const Name subject = Name::from_der(fields_.subject);
    self_signed_ = issuer == subject;
    if (issuer.empty()) {
      add("issuer.empty", "RFC 5280 4.1.2.4");
    }
    if (const auto country = subject.first("C"); country && country->size() != 2) {
      add("name.country", "C is not two letters");
    }
    if (const auto bound = over_upper_bound(subject)) {
      add("name.too_long", *bound);
    }
    const Extension* san = find(oid::kSubjectAltName);
    if (san != nullptr) {
      static_cast<void>(GeneralNames::from_der(san->value));
    }
    if (subject.empty() && (san == nullptr || !san->critical)) {
      add("subject.empty", "an empty subject needs a critical subjectAltName (RFC 5280 4.1.2.6)");
    }
    if (!subject.empty() && san != nullptr && san->critical) {
      add("san.critical", "not critical beside a subject (RFC 5280 4.2.1.6)");
    }
  }

  [[nodiscard]] const Extension* find(std::string_view oid) const {
    const auto found =
        std::find_if(fields_.extensions.begin(), fields_.extensions.end(),
                     [&](const Extension& extension) { return extension.oid == oid; });
    return found == fields_.extensions.end() ? nullptr : &*found;
  }

  [[nodiscard]] bool declares_ca() const {
    const Extension* constraints = find(oid::kBasicConstraints);
    if (constraints == nullptr) {
      return false;
    }
    ByteView rest = constraints->value;
    ByteView content = der::read(rest).value;
    return !content.empty() && der::read(content).tag == 0x01;
  }

  /// Bit n of keyUsage, most significant first.
  [[nodiscard]] bool has_usage(std::size_t bit) const {
    const Extension* usage = find(oid::kKeyUsage);
    if (usage == nullptr) {
      return false;
    }
    ByteView rest = usage->value;
    const ByteView content = der::read(rest).value;
    return content.size() > 1 + bit / 8 && (content[1 + bit / 8] & (0x80U >> (bit % 8))) != 0;
  }

  static bool any_usage(const Extension& usage) {
    ByteView rest = usage.value;
    const der::Element bits = der::read(rest);
    return bits.tag == 0x03 && rest.empty() && bits.value.size() > 1 &&
           std::any_of(bits.value.begin() + 1, bits.value.end(), [](auto b) { return b != 0; });
  }

  /// The OID in SubjectPublicKeyInfo { AlgorithmIdentifier { OID, ... }, BIT STRING }.
  [[nodiscard]] ByteView key_algorithm() const {
    ByteView rest = fields_.spki;
    ByteView content = der::read(rest).value;
    const der::Element identifier = der::read(content);
    const der::Element key = der::read(content);
    ByteView algorithm = identifier.value;
    const der::Element oid = der::read(algorithm);
    if (identifier.tag != 0x30 || oid.tag != 0x06 || key.tag != 0x03 || !content.empty()) {
      throw Error(ErrorCode::malformed, "key.malformed", "the public key is malformed",
                  "not a SubjectPublicKeyInfo");
    }
    return oid.whole;
  }

  void check_key_usage(bool ca) {
    static const Bytes kRsa = der::oid("1.2.840.113549.1.1.1");
    static const Bytes kEc = der::oid("1.2.840.10045.2.1");
    // Only its kind matters here. That it is a key was checked when it came (PublicKey): to import
    // it again would cost more than the rest of this lint.
    const ByteView algorithm = key_algorithm();
    const bool rsa = std::ranges::equal(algorithm, kRsa);
    const bool ec = std::ranges::equal(algorithm, kEc);
    constexpr std::size_t kKeyEncipherment = 2;
    constexpr std::size_t kDataEncipherment = 3;
    constexpr std::size_t kKeyAgreement = 4;
    constexpr std::size_t kKeyCertSign = 5;
    if (!rsa && (has_usage(kKeyEncipherment) || has_usage(kDataEncipherment))) {
      add("key_usage.encipherment", "only RSA keys encipher (RFC 5480 3, RFC 8410 5)");
    }
    if (!ec && has_usage(kKeyAgreement)) {
      add("key_usage.agreement", "this key cannot agree");
    }
    if (const Extension* usage = find(oid::kKeyUsage); usage != nullptr && !any_usage(*usage)) {
      add("key_usage.empty", "no bit set (RFC 5280 4.2.1.3)");
    }
    if (has_usage(kKeyCertSign) != ca) {
      add("key_usage.cert_sign", "keyCertSign if and only if cA (RFC 5280 4.2.1.3, 4.2.1.9)");
    }
  }

  void check_extensions() {
    const bool ca = declares_ca();
    if (find(oid::kSubjectKeyIdentifier) == nullptr) {
      add("ski.missing", "RFC 5280 4.2.1.2");
    }
    if (find(oid::kAuthorityKeyIdentifier) == nullptr && !self_signed_) {
      add("aki.missing", "RFC 5280 4.2.1.1");
    }
    const Extension* constraints = find(oid::kBasicConstraints);
    if (ca && !constraints->critical) {
      add("basic_constraints.critical", "RFC 5280 4.2.1.9");
    }
    if (ca && find(oid::kKeyUsage) == nullptr) {
      add("key_usage.missing", "a CA certificate needs one (RFC 5280 4.2.1.3)");
    }
    check_key_usage(ca);
    for (const std::string_view never :
         {oid::kSubjectKeyIdentifier, oid::kAuthorityKeyIdentifier, oid::kAuthorityInfoAccess}) {
      if (const Extension* extension = find(never); extension != nullptr && extension->critical) {
        add("extension.critical", extension->oid + " must not be critical (RFC 5280 4.2)");
      }
    }
    if (constraints != nullptr && !ca && constraints->value != Bytes{0x30, 0x00}) {
      add("basic_constraints.end_entity", "not exactly an empty SEQUENCE (RFC 5280 4.2.1.9)");
    }
    if (const Extension* eku = find(oid::kExtendedKeyUsage)) {
      ByteView rest = eku->value;
      if (der::read(rest).value.empty()) {
        add("eku.empty", "CVE-2026-40097: an empty list crashed others");
      }
    }
  }

  const SignatureAlgorithm& algorithm_;
  Fields fields_;
  bool self_signed_ = false;
  std::vector<Finding> findings_;
};

}  // namespace

std::optional<std::string> over_upper_bound(const Name& name) {
  static const std::map<std::string, std::size_t, std::less<>> bounds = {
      {"CN", 64},  {"O", 64},  {"OU", 64},   {"serialNumber", 64},
      {"ST", 128}, {"L", 128}, {"title", 64}};
  for (const NameAttribute& attribute : name.attributes()) {
    // Characters count, not bytes of UTF-8.
    const auto characters = static_cast<std::size_t>(
        std::count_if(attribute.value.begin(), attribute.value.end(),
                      [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
    const auto bound = bounds.find(attribute.short_name);
    if (bound != bounds.end() && characters > bound->second) {
      return attribute.short_name + " is longer than " + std::to_string(bound->second);
    }
  }
  return std::nullopt;
}

std::vector<Finding> lint_tbs(ByteView tbs, const SignatureAlgorithm& algorithm) {
  return Linter(tbs, algorithm).take();
}

}  // namespace estia::crypto
