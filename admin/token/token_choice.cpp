// SPDX-License-Identifier: Apache-2.0
#include "admin/token/token_choice.h"

#include <utility>

#include "admin/token/audited_order.h"

namespace estia::admin {

void TokenChoice::add_to(CLI::App& command, HoldState hold) {
  hold_ = std::move(hold);
  command.add_option("--state", state_,
                     "State directory of a stopped estiad: its token, and its PIN file");
  command.add_option("--module", module_, "PKCS#11 module, a shared library")
      ->check(CLI::ExistingFile);
  command.add_option("--module-args", module_args_,
                     "What the module is initialised with; only some want it");
  command.add_option("--token", token_,
                     "Label of the token; with --state its name in the process configuration "
                     "(main)");
  command.add_option("--token-serial", serial_, "Serial of the token");
}

TokenChoice::Taken TokenChoice::take() const {
  if (!state_.empty()) {
    if (!module_.empty() || !module_args_.empty() || !serial_.empty()) {
      throw CLI::ValidationError("--state", "says which module and token: leave --module");
    }
    std::unique_ptr<HeldState> state = hold_(state_, token_);
    TokenPlace place = state->token();
    return {.place = std::move(place), .state = std::move(state)};
  }
  if (module_.empty() || (token_.empty() && serial_.empty())) {
    throw CLI::RequiredError("--state, or --module and one of --token and --token-serial");
  }
  return {.place = {.module = std::filesystem::absolute(module_).lexically_normal(),
                    .init_args = module_args_,
                    .label = token_,
                    .serial = serial_}};
}

void TokenChoice::Taken::audited(const std::string& what, const std::vector<std::string>& details,
                                 const std::function<void()>& order) const {
  admin::audited(state.get(), what, details, order);
}

}  // namespace estia::admin
