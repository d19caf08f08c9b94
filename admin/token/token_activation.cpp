// SPDX-License-Identifier: Apache-2.0
#include "admin/token/token_activation.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <utility>

#include "admin/token/audited_order.h"
#include "crypto/base/error.h"
#include "crypto/base/stop_signals_held.h"
#include "hsm/logins.h"

namespace estia::admin {
namespace {

/// Success with another PIN than estiad's would let estiad try a wrong one.
hsm::PinSource pin_source(const TokenPlace& place, std::optional<Secret> brought) {
  if (brought.has_value() && !place.pin_file.empty()) {
    throw Error(ErrorCode::conflict, "token.pin_not_taken",
                "this token's PIN is read from " + place.pin_file.string());
  }
  if (!brought && place.pin_file.empty()) {
    throw CLI::RequiredError("--pin-file or --ask-pin");
  }
  if (!brought) {
    return {.file = place.pin_file};
  }
  auto held = std::make_shared<hsm::HeldPin>();
  held->take(std::move(*brought));
  return {.file = {}, .credential = {}, .held = std::move(held)};
}

}  // namespace

void activate_stopped(const HoldState& hold, const std::filesystem::path& state,
                      const std::string& token,
                      const std::function<std::optional<Secret>()>& brought) {
  const std::unique_ptr<HeldState> held = hold(state, token);
  if (token.empty() && held->several()) {
    throw Error(ErrorCode::conflict, "token.name_needed", "there are several tokens: say which");
  }
  const TokenPlace& place = held->token();
  hsm::TokenConfig config;
  config.module = place.module;
  config.init_args = place.init_args;
  config.label = place.label;
  config.serial = place.serial;
  config.pin = pin_source(place, brought());
  config.pin_marker = place.pin_marker;
  const StopSignalsHeld signals;  // SoftHSM writes its token's file
  audited(held.get(), "token.activate", {"estiad is stopped"}, [&] { hsm::try_pin(config); });
  std::cout << "the token takes the PIN: estiad may be started\n";
}

}  // namespace estia::admin
