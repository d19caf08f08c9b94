// SPDX-License-Identifier: Apache-2.0
#include "admin/token/token_list_command.h"

#include <chrono>
#include <iostream>
#include <memory>
#include <utility>

#include "admin/cli/record_text.h"
#include "admin/token/look_at_module.h"
#include "admin/token/module_candidates.h"
#include "crypto/base/error.h"

namespace estia::admin {
namespace {

// libp11 has no function for the library's version, the sessions of a token or why a slot's token
// is not shown, so that all of this command asks the module through hsm/.

constexpr std::chrono::seconds kLimit{20};

std::string field(const Json& object, const char* member) {
  return std::string("\t") + member + "=" + row_text(object, {member});
}

const char* state_of(const Json& token) {
  if (!token.at("initialised").get<bool>()) {
    return "free";
  }
  const bool usable =
      token.at("user_pin_set").get<bool>() || !token.at("login_required").get<bool>();
  return usable ? "ready" : "no user PIN";
}

/// What somebody has to know before he gives a PIN.
std::string warnings_of(const Json& token) {
  std::string text;
  const auto add = [&](bool applies, const std::string& words) {
    if (applies) {
      text += (text.empty() ? "" : ", ") + words;
    }
  };
  for (const auto& [member, name] :
       {std::pair{"user_pin", "user PIN"}, std::pair{"so_pin", "SO PIN"}}) {
    const Json& pin = token.at(member);
    add(pin.at("locked").get<bool>(), std::string(name) + " locked");
    add(pin.at("final_try").get<bool>(), std::string(name) + " final try");
    add(pin.at("count_low").get<bool>(), std::string(name) + " count low");
    add(pin.at("to_be_changed").get<bool>(), std::string(name) + " to be changed");
  }
  add(token.at("write_protected").get<bool>(), "write protected");
  add(token.at("own_pin_pad").get<bool>(), "PIN typed at the token");
  add(!token.at("login_required").get<bool>(), "no login needed");
  return text.empty() ? "-" : text;
}

std::string sessions_of(const Json& sessions) {
  const Json& most = sessions.at("most");
  return row_text(sessions, {"open"}) + (most.is_null() ? "" : "/" + most.dump());
}

void print_slot(const Json& slot) {
  const std::string id = slot.at("id").dump();
  if (!slot.at("trouble").is_null()) {
    std::cout << "unreadable\tslot=" << id << field(slot, "trouble") << "\n";
    return;
  }
  const Json& token = slot.at("token");
  if (token.is_null()) {
    std::cout << "empty\tslot=" << id << field(slot, "description") << "\n";
    return;
  }
  // An empty label is empty here, not "-": that could be one.
  const std::string label = token.at("label").get<std::string>();
  std::cout << state_of(token) << (label.empty() ? "\tlabel=" : field(token, "label"))
            << field(token, "serial") << field(token, "model") << field(token, "manufacturer")
            << "\tslot=" << id << "\tsessions=" << sessions_of(token.at("sessions"))
            << "\tflags=" << warnings_of(token) << "\n";
}

void print_module(const Json& module) {
  if (!module.at("loadable").get<bool>()) {
    std::cout << "unusable\t" << row_text(module, {"path"}) << field(module, "trouble") << "\n";
    return;
  }
  const Json& library = module.at("library");
  std::cout << "module\t" << row_text(module, {"path"}) << field(library, "description")
            << field(library, "version") << field(library, "cryptoki")
            << field(library, "manufacturer") << "\n";
  for (const Json& slot : module.at("slots")) {
    print_slot(slot);
  }
}

Json look_at_all(const TokenListCommand& command) {
  Json modules = Json::array();
  for (const std::filesystem::path& module : command.modules) {
    Json report = look_at_module(std::filesystem::absolute(module), command.module_args,
                                 ModuleNoise::shown, kLimit);
    report["named_by"] = "--module";
    modules.push_back(std::move(report));
  }
  if (command.modules.empty()) {
    for (const ModuleCandidate& candidate : modules_of_this_machine()) {
      Json report = look_at_module(candidate.path, "", ModuleNoise::hidden, kLimit);
      report["named_by"] = candidate.named_by;
      modules.push_back(std::move(report));
    }
  }
  return modules;
}

}  // namespace

void TokenListCommand::add_to(CLI::App& token) {
  auto command = std::make_shared<TokenListCommand>();
  CLI::App* app =
      token.add_subcommand("list", "List PKCS#11 modules, their slots, and the tokens in them");
  app->add_option(
         "--module", command->modules,
         "PKCS#11 module, a shared library; may be repeated. Without it those that p11-kit "
         "names, and those at well-known paths")
      ->check(CLI::ExistingFile);
  app->add_option("--module-args", command->module_args,
                  "What each --module is initialised with; only some want it");
  app->add_flag("--json", command->json, "As JSON");
  app->footer(
      "Logs in nowhere.\nExample:\n  estia token list --module /usr/lib/softhsm/libsofthsm2.so");
  app->callback([command] { command->run(); });
}

void TokenListCommand::run() const {
  constexpr int kIndent = 2;
  const Json all = look_at_all(*this);
  const Json* unusable = nullptr;
  for (const Json& module : all) {
    const bool failed = !modules.empty() && !module.at("loadable").get<bool>();
    unusable = failed && unusable == nullptr ? &module : unusable;
    if (!json && !failed) {
      print_module(module);
    }
  }
  if (json) {
    std::cout << Json{{"modules", all}}.dump(kIndent, ' ', false, Json::error_handler_t::replace)
              << "\n";
  }
  std::cout.flush();
  if (unusable != nullptr) {
    throw Error(ErrorCode::config, "token.module",
                unusable->at("path").get<std::string>() + " cannot be used as a PKCS#11 module: " +
                    unusable->at("trouble").get<std::string>());
  }
}

}  // namespace estia::admin
