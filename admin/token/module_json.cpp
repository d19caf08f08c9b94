// SPDX-License-Identifier: Apache-2.0
#include "admin/token/module_json.h"

#include <optional>
#include <utility>

namespace estia::admin {
namespace {

using Json = nlohmann::ordered_json;

Json pin_json(const hsm::PinReport& pin) {
  return {{"count_low", pin.count_low},
          {"final_try", pin.final_try},
          {"locked", pin.locked},
          {"to_be_changed", pin.to_be_changed}};
}

Json number_or_null(const std::optional<std::uint64_t>& number) {
  return number ? Json(*number) : Json();
}

Json token_json(const std::optional<hsm::TokenReport>& token) {
  if (!token) {
    return {};
  }
  return {{"label", token->label},
          {"serial", token->serial},
          {"manufacturer", token->manufacturer},
          {"model", token->model},
          {"initialised", token->initialised},
          {"user_pin_set", token->user_pin_set},
          {"login_required", token->login_required},
          {"write_protected", token->write_protected},
          {"own_pin_pad", token->own_pin_pad},
          {"user_pin", pin_json(token->user_pin)},
          {"so_pin", pin_json(token->so_pin)},
          {"sessions",
           {{"open", number_or_null(token->sessions)},
            {"most", number_or_null(token->most_sessions)}}}};
}

}  // namespace

Json module_json(const hsm::ModuleReport& report) {
  Json slots = Json::array();
  for (const hsm::SlotReport& slot : report.slots) {
    slots.push_back({{"id", slot.id},
                     {"description", slot.description},
                     {"manufacturer", slot.manufacturer},
                     {"trouble", slot.trouble.empty() ? Json() : Json(slot.trouble)},
                     {"token", token_json(slot.token)}});
  }
  return {{"library",
           {{"manufacturer", report.library.manufacturer},
            {"description", report.library.description},
            {"version", report.library.version},
            {"cryptoki", report.library.cryptoki}}},
          {"slots", std::move(slots)}};
}

}  // namespace estia::admin
