// SPDX-License-Identifier: Apache-2.0
#include "admin/held_state.h"

#include "admin/offline/state_token.h"

namespace estia::admin {
namespace {

class HeldStateToken final : public HeldState {
 public:
  explicit HeldStateToken(const std::filesystem::path& directory)
      : state_(directory),
        place_{.module = state_.module(),
               .init_args = state_.init_args(),
               .label = state_.label(),
               .serial = state_.serial(),
               .pin_file = state_.pin_file(),
               .pin_marker = state_.pin_marker()} {}

  [[nodiscard]] const TokenPlace& token() const override { return place_; }
  void audit(const std::string& what, const std::string& detail) override {
    state_.audit(what, detail);
  }

 private:
  StateToken state_;
  TokenPlace place_;
};

}  // namespace

std::unique_ptr<HeldState> hold_state(const std::filesystem::path& state) {
  return std::make_unique<HeldStateToken>(state);
}

}  // namespace estia::admin
