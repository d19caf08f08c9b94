// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "crypto/base/bytes.h"

namespace estia::hsm {

/// The name of a private key: a PKCS #11 URI (RFC 7512), read strictly (P11-2.3-a, P11-2.3-b).
/// Accepted are token, serial, manufacturer, model, object, id and type=private; everything read is
/// also compared. Slot numbers and library attributes are refused, since they name no key for long
/// (P11-2.3-c), and so is every query attribute: modules and PINs come from the configuration
/// (P11-2.4-a, P11-2.4-b). Immutable.
class KeyUri final {
 public:
  /// Throws Error{config}: "key_uri.malformed" (syntax, a value no token could hold, an attribute
  /// given twice), "key_uri.unsupported" (an attribute that is not accepted), "key_uri.pin" (a PIN
  /// or its source), "key_uri.no_key" (neither object nor id). No message repeats the text: it may
  /// hold a PIN.
  [[nodiscard]] static KeyUri parse(std::string_view text);
  /// Throws Error{config, "key_uri.malformed"} for values that no token could hold.
  [[nodiscard]] static KeyUri for_object(const std::string& token_label,
                                         const std::string& object_label, const Bytes& id);

  /// The same key, in the token with that serial number.
  [[nodiscard]] KeyUri with_serial(const std::string& serial) const;

  /// One spelling per name, fit for configuration, log and audit: it never holds a PIN.
  [[nodiscard]] std::string text() const;

  // Empty means: not given, anything matches.
  [[nodiscard]] const std::string& token() const noexcept { return token_; }
  [[nodiscard]] const std::string& serial() const noexcept { return serial_; }
  [[nodiscard]] const std::string& manufacturer() const noexcept { return manufacturer_; }
  [[nodiscard]] const std::string& model() const noexcept { return model_; }
  [[nodiscard]] const std::string& object() const noexcept { return object_; }  ///< CKA_LABEL
  [[nodiscard]] const Bytes& id() const noexcept { return id_; }                ///< CKA_ID

  bool operator==(const KeyUri&) const = default;

 private:
  KeyUri() = default;
  void assign(std::string_view name, std::string value);
  void check_names_a_key() const;

  std::string token_;
  std::string serial_;
  std::string manufacturer_;
  std::string model_;
  std::string object_;
  Bytes id_;
};

}  // namespace estia::hsm
