// SPDX-License-Identifier: Apache-2.0
#include "admin/held_state.h"

#include "admin/offline/state_token.h"

namespace estia::admin {
namespace {

class HeldStateToken final : public HeldState {
 public:
  HeldStateToken(const std::filesystem::path& directory, const std::string& token)
      : state_(directory, token),
        place_{.module = state_.module(),
               .init_args = state_.init_args(),
               .label = state_.label(),
               .serial = state_.serial(),
               .pin_file = state_.pin_file(),
               .pin_marker = state_.pin_marker()} {}

  [[nodiscard]] const TokenPlace& token() const override { return place_; }
  [[nodiscard]] bool several() const override { return state_.several(); }
  void audit(const std::string& what, const std::string& outcome,
             const std::vector<std::string>& details) override {
    state_.audit(what, outcome, details);
  }

 private:
  StateToken state_;
  TokenPlace place_;
};

}  // namespace

std::unique_ptr<HeldState> hold_state(const std::filesystem::path& state,
                                      const std::string& token) {
  return std::make_unique<HeldStateToken>(state, token);
}

}  // namespace estia::admin
