// SPDX-License-Identifier: Apache-2.0
#include "admin/token/token_pin_commands.h"

#include <filesystem>
#include <functional>
#include <iostream>
#include <memory>
#include <system_error>
#include <utility>

#include "admin/token/pin_file_change.h"
#include "admin/token/pin_input.h"
#include "admin/token/token_pins.h"
#include "crypto/base/error.h"
#include "crypto/base/stop_signals_held.h"
#include "hsm/pin_marker.h"

namespace estia::admin {
namespace {

const char* const kSoPin = "security officer's PIN";
const char* const kUserPin = "user's PIN";

/// estiad may log in again: it is another PIN than the one that was refused.
void accept(const TokenPlace& place, PinFileChange& file) {
  file.commit();
  hsm::PinMarker(place.pin_marker).clear();
  std::cout << file.file().string() << " has the new PIN\n";
}

/// What estiad is given otherwise may be the old PIN still: its note stays, so that it tries none.
void tell_where_it_goes(const TokenPlace& place) {
  std::cout << "give it to estiad where its estia.toml says: pin_file, pin_credential, or "
               "estia token activate\n";
  std::error_code ignored;
  if (!place.pin_marker.empty() && std::filesystem::exists(place.pin_marker, ignored)) {
    std::cout << "the token has refused a PIN of estiad's, which tries none by itself: start it "
                 "with the new one, then run estia token activate\n";
  }
}

/// Throws what `change` throws. The new PIN is in the file beside `file` until that is known.
void change_token(std::optional<PinFileChange>& file, const std::function<void()>& change) {
  try {
    change();
  } catch (const Error& error) {
    if (file && error.id() == "token.pin_unknown") {
      throw Error(error.code(), error.id(),
                  error.what() + std::string("; the new one is in ") + file->next().string() +
                      ": go on with estia token pin resume",
                  error.detail());
    }
    if (file) {
      file->discard();
    }
    throw;
  }
}

/// Changes the token, which is audited as `what`, and the PIN file of the state directory with it.
/// `change` throws as those of token_pins.h.
void change_both(const TokenChoice::Taken& taken, const std::string& what, const Secret& new_pin,
                 const std::function<void()>& change) {
  std::optional<PinFileChange> file;
  taken.audited(what, {"user"}, [&] {
    if (!taken.place.pin_file.empty()) {
      file.emplace(taken.place.pin_file);
      file->prepare(new_pin);
    }
    change_token(file, change);
  });
  std::cout << "the token has a new user PIN\n";
  if (file) {
    accept(taken.place, *file);
  } else {
    tell_where_it_goes(taken.place);
  }
}

}  // namespace

void TokenPinSetCommand::add_to(CLI::App& pin, HoldState hold) {
  auto command = std::make_shared<TokenPinSetCommand>();
  CLI::App* app = pin.add_subcommand("set", "As security officer, give the token's user a PIN");
  command->choice.add_to(*app, std::move(hold));
  app->add_option("--so-pin-file", command->so_pin_file,
                  "File of mode 0600 with the security officer's PIN; else it is asked for");
  app->add_option("--new-pin-file", command->new_pin_file,
                  "File of mode 0600 with the user's new PIN; else it is asked for, twice");
  app->footer(std::string(kNobodyElse) +
              "With --state the PIN file of the state directory is replaced, too.\n"
              "Example:\n  estia token pin set --state /var/lib/estia --so-pin-file so-pin");
  app->callback([command] { command->run(); });
}

void TokenPinSetCommand::run() const {
  const TokenChoice::Taken taken = choice.take();
  const Secret so_pin = read_pin(so_pin_file, "--so-pin-file", kSoPin);
  const Secret new_pin = read_new_pin(new_pin_file, "--new-pin-file", kUserPin);
  must_differ(so_pin, new_pin, "the security officer's PIN and the user's PIN must differ");
  const StopSignalsHeld held;
  change_both(taken, "token.pin_set", new_pin, [&] { set_user_pin(taken.place, so_pin, new_pin); });
}

void TokenPinChangeCommand::add_to(CLI::App& pin, HoldState hold) {
  auto command = std::make_shared<TokenPinChangeCommand>();
  CLI::App* app = pin.add_subcommand("change", "Change the user's PIN, or the security officer's");
  command->choice.add_to(*app, std::move(hold));
  app->add_flag("--so", command->so, "The security officer's PIN, not the user's");
  app->add_option("--pin-file", command->pin_file,
                  "File of mode 0600 with the PIN as it is; else that of the state directory, or "
                  "it is asked for");
  app->add_option("--new-pin-file", command->new_pin_file,
                  "File of mode 0600 with the new PIN; else it is asked for, twice");
  app->footer(std::string(kNobodyElse) +
              "With --state the PIN file of the state directory is replaced, too, if it is the "
              "user's.\nExample:\n  estia token pin change --state /var/lib/estia");
  app->callback([command] { command->run(); });
}

void TokenPinChangeCommand::run() const {
  const TokenChoice::Taken taken = choice.take();
  const char* whose = so ? kSoPin : kUserPin;
  const Secret old_pin =
      so ? read_pin(pin_file, "--pin-file", whose) : read_user_pin(pin_file, taken.place);
  const Secret new_pin = read_new_pin(new_pin_file, "--new-pin-file", whose);
  must_differ(old_pin, new_pin, "the new PIN is the old one; nothing was changed");
  const StopSignalsHeld held;
  if (!so) {
    change_both(taken, "token.pin_changed", new_pin,
                [&] { change_pin(taken.place, PinOwner::user, old_pin, new_pin); });
    return;
  }
  taken.audited("token.pin_changed", {"security officer"},
                [&] { change_pin(taken.place, PinOwner::security_officer, old_pin, new_pin); });
  std::cout << "the token has a new security officer's PIN\n";
}

void TokenPinResumeCommand::add_to(CLI::App& pin, HoldState hold) {
  auto command = std::make_shared<TokenPinResumeCommand>();
  CLI::App* app = pin.add_subcommand(
      "resume", "After a change that ended half-way: find out which PIN the token has");
  command->choice.add_to(*app, std::move(hold));
  app->footer(
      "Logs in once with the new PIN, in PIN_FILE.next. If the token takes it, that file takes the "
      "place\nof PIN_FILE; if it refuses it, the token has the old PIN, and PIN_FILE.next is "
      "removed.\nExample:\n  estia token pin resume --state /var/lib/estia");
  app->callback([command] { command->run(); });
}

void TokenPinResumeCommand::run() const {
  const TokenChoice::Taken taken = choice.take();
  if (taken.place.pin_file.empty()) {
    throw CLI::RequiredError("--state, of an estiad with a PIN file,");
  }
  PinFileChange file(taken.place.pin_file);
  const std::optional<Secret> pin = file.prepared();
  if (!pin) {
    throw Error(ErrorCode::not_found, "token.pin_no_change",
                "no change of the PIN ended half-way: there is no " + file.next().string());
  }
  const StopSignalsHeld held;
  try {
    taken.audited("token.pin_resumed", {"user"}, [&] {
      try_user_pin(taken.place, *pin);
      accept(taken.place, file);
    });
  } catch (const Error& error) {
    if (error.id() != "token.pin_incorrect") {
      throw;
    }
    file.discard();
    std::cout << "the token has the old PIN, as " << file.file().string() << " says\n";
  }
}

}  // namespace estia::admin
