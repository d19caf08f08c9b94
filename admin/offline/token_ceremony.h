// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "hsm/token.h"
#include "server/provision/key_ceremony.h"

namespace estia::admin {

/// CA keys made in a PKCS#11 token.
class TokenCeremony final : public provision::KeyCeremony {
 public:
  explicit TokenCeremony(std::shared_ptr<hsm::Token> token) : token_(std::move(token)) {}

  [[nodiscard]] crypto::PrivateKey make(const crypto::KeySpec& spec,
                                        const std::string& label) override;
  [[nodiscard]] std::string uri(const std::string& label) override;
  void destroy(const std::string& label) noexcept override;

 private:
  std::shared_ptr<hsm::Token> token_;
};

}  // namespace estia::admin
