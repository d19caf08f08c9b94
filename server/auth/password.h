// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "crypto/base/secret.h"
#include "server/ca/model.h"

namespace estia::auth {

/// How a generated secret of at least 128 random bits is stored: scheme "sha256", a fresh 16-byte
/// salt, SHA-256(salt || secret) (D16). Never for a password a person chose: one SHA-256 is cheap
/// to guess against. Any thread.
[[nodiscard]] ca::PasswordHash hash_generated_secret(const Secret& secret);

/// How a password that a person chose is stored: scheme "scrypt", a fresh 16-byte salt (D16).
[[nodiscard]] ca::PasswordHash hash_chosen_password(const Secret& password);

/// Whether it was stored by hash_chosen_password.
[[nodiscard]] bool is_chosen(const ca::PasswordHash& stored) noexcept;

/// One salted SHA-256, or one scrypt, whatever the outcome, compared in constant time
/// (EST-3.2.3-h). Throws Error{internal, "password.scheme"} for a scheme this program does not
/// know.
[[nodiscard]] bool verify_password(const ca::PasswordHash& stored, std::string_view password);

/// What the password of an unknown user is verified against, so that the attempt costs the same
/// (D16). No password matches it.
[[nodiscard]] const ca::PasswordHash& dummy_password_hash();
/// The same at the cost of a chosen one.
[[nodiscard]] const ca::PasswordHash& dummy_chosen_hash();

}  // namespace estia::auth
