// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "crypto/keys/key_spec.h"
#include "hsm/attachment.h"
#include "hsm/objects.h"
#include "hsm/token.h"
#include "tests/hsm/module_under_test.h"
#include "tests/support/refusal.h"

namespace estia::hsm {

/// A module, and who signs.
using Cell = std::tuple<std::string, Signing>;

[[nodiscard]] std::string name_of(const ::testing::TestParamInfo<Cell>& cell);

/// One cell of the conformance table: a process of its own, a token that is found, filled and left
/// as it was. What a module is said to lack is tried all the same, must be refused, and is skipped
/// with the reason; a skip without one is a failure.
class Suite : public ::testing::TestWithParam<Cell> {
 protected:
  Suite();
  void SetUp() override;
  void TearDown() override;

  [[nodiscard]] TokenConfig config() const;
  [[nodiscard]] Token& token();
  void close_token() { token_.reset(); }
  [[nodiscard]] bool native() const { return std::get<Signing>(GetParam()) == Signing::native; }
  [[nodiscard]] const ModuleUnderTest& module() const { return *module_; }
  [[nodiscard]] bool can(std::string_view capability) const;

  /// Runs `body` if the module can do what is needed; else shows that it refuses, and skips.
  void need(std::string_view capability, const std::function<void()>& body);
  /// With its reason, or the test fails.
  void skip(const std::string& reason);

  /// The name of an object of this test; every object of that name is destroyed at the end.
  [[nodiscard]] std::string label(const std::string& what);
  /// A kind of key that the module can make, for cells that do not care which.
  [[nodiscard]] std::string usual() const { return can("P-256") ? "P-256" : "RSA-2048"; }
  [[nodiscard]] crypto::PrivateKey make(const std::string& kind) { return make(kind, label(kind)); }
  /// A CA key as the product makes it; where the module lacks "ca-keys", one like it that nobody
  /// has checked.
  [[nodiscard]] crypto::PrivateKey make(const std::string& kind, const std::string& object_label);
  /// What the private half of a CA key is asked for. `id` is its CKA_ID.
  void make_pair(const std::string& kind, const std::string& object_label, const Bytes& id,
                 bool extractable) const;
  void destroy_afterwards(const std::string& object_label) { labels_.push_back(object_label); }
  [[nodiscard]] bool has_object(const std::string& object_label) const;
  /// The URI that finds that object by label alone.
  [[nodiscard]] KeyUri uri(const std::string& object) const;

  /// Calls `use` with an attachment and a session of its own that may write.
  static void raw(const TokenConfig& config,
                  const std::function<void(Attachment&, CK_SESSION_HANDLE)>& use);
  void raw(const std::function<void(Attachment&, CK_SESSION_HANDLE)>& use) const {
    raw(config(), use);
  }

  /// Calls `body`; an Error's detail, which is for the log, is in what it says then.
  template <class Body>
  static auto told(Body&& body) {
    try {
      return body();
    } catch (const Error& error) {
      throw Error(error.code(), error.id(),
                  error.id() + ": " + error.what() + ": " + error.detail());
    }
  }
  /// True if the key signs what its public half verifies.
  [[nodiscard]] static bool signs(const crypto::PrivateKey& key);

 private:
  const std::unique_ptr<ModuleUnderTest> module_;
  std::shared_ptr<Token> token_;
  std::vector<std::string> labels_;
  bool stated_ = false;
};

/// What the labels of this run begin with: ESTIA_HSM_RUN, or something random.
[[nodiscard]] const std::string& label_prefix();

}  // namespace estia::hsm

/// Every module with both who may sign, or natively alone.
#define ESTIA_EVERY_CELL(Class)                                                       \
  INSTANTIATE_TEST_SUITE_P(                                                           \
      , Class,                                                                        \
      ::testing::Combine(::testing::ValuesIn(::estia::hsm::ModuleUnderTest::names()), \
                         ::testing::Values(::estia::hsm::Signing::native,             \
                                           ::estia::hsm::Signing::pkcs11_provider)),  \
      ::estia::hsm::name_of)
#define ESTIA_EVERY_NATIVE_CELL(Class)                                                \
  INSTANTIATE_TEST_SUITE_P(                                                           \
      , Class,                                                                        \
      ::testing::Combine(::testing::ValuesIn(::estia::hsm::ModuleUnderTest::names()), \
                         ::testing::Values(::estia::hsm::Signing::native)),           \
      ::estia::hsm::name_of)
