// SPDX-License-Identifier: Apache-2.0
#include "admin/token/token_choice.h"

#include <utility>

namespace estia::admin {

void TokenChoice::add_to(CLI::App& command, HoldState hold) {
  hold_ = std::move(hold);
  command.add_option("--state", state_,
                     "State directory of a stopped estiad: its token, and its PIN file");
  command.add_option("--module", module_, "PKCS#11 module, a shared library")
      ->check(CLI::ExistingFile);
  command.add_option("--module-args", module_args_,
                     "What the module is initialised with; only some want it");
  command.add_option("--token", label_, "Label of the token");
  command.add_option("--token-serial", serial_, "Serial of the token");
}

TokenChoice::Taken TokenChoice::take() const {
  const bool by_module =
      !module_.empty() || !module_args_.empty() || !label_.empty() || !serial_.empty();
  if (!state_.empty()) {
    if (by_module) {
      throw CLI::ValidationError("--state", "says which token it is: leave --module and --token");
    }
    std::unique_ptr<HeldState> state = hold_(state_);
    TokenPlace place = state->token();
    return {.place = std::move(place), .state = std::move(state)};
  }
  if (module_.empty() || (label_.empty() && serial_.empty())) {
    throw CLI::RequiredError("--state, or --module and one of --token and --token-serial");
  }
  return {.place = {.module = std::filesystem::absolute(module_).lexically_normal(),
                    .init_args = module_args_,
                    .label = label_,
                    .serial = serial_}};
}

void TokenChoice::Taken::audit(const std::string& what, const std::string& detail) const {
  if (state) {
    state->audit(what, detail);
  }
}

}  // namespace estia::admin
