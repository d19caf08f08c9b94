// SPDX-License-Identifier: Apache-2.0
#include "admin/offline/initialise_state.h"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "admin/offline/process_config_text.h"
#include "admin/offline/state_in_the_making.h"
#include "admin/offline/token_ceremony.h"
#include "crypto/base/error.h"
#include "crypto/base/file.h"
#include "hsm/token.h"
#include "server/store/store.h"

namespace estia::admin {
namespace {

/// The one token meant; a label that two tokens carry would make the daemon's choice a matter of
/// luck.
hsm::TokenInfo find_token(const InitialiseOptions& options) {
  std::vector<hsm::TokenInfo> found;
  for (hsm::TokenInfo& token : hsm::list_tokens(options.module, options.init_args)) {
    if (token.initialized && token.label == options.token_label &&
        (options.token_serial.empty() || token.serial == options.token_serial)) {
      found.push_back(std::move(token));
    }
  }
  const std::string which = "labelled '" + options.token_label + "'" +
                            (options.token_serial.empty() ? "" : " with that serial");
  if (found.empty()) {
    throw Error(ErrorCode::config, "token.not_found",
                "the module shows no token " + which + "; see estia token list");
  }
  if (found.size() > 1) {
    throw Error(
        ErrorCode::config, "token.ambiguous",
        std::to_string(found.size()) + " tokens are " + which + "; say which by --token-serial");
  }
  return found.front();
}

std::shared_ptr<hsm::Token> open_token(const InitialiseOptions& options,
                                       const hsm::TokenInfo& info) {
  return hsm::Token::open({.module = options.module,
                           .init_args = options.init_args,
                           .label = info.label,
                           .serial = info.serial,
                           .pin = {.file = options.pin_file},
                           .max_sessions = 2});
}

/// This host's name for the audit chain, as far as the store takes its characters.
std::string node_name() {
  constexpr std::size_t kLongest = 64;
  std::array<char, kLongest + 1> name{};
  if (::gethostname(name.data(), kLongest) != 0) {
    return "node";
  }
  std::string node(name.data());
  std::ranges::replace_if(
      node,
      [](char c) {
        return !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                 c == '.' || c == '_' || c == '-');
      },
      '-');
  return node.empty() ? "node" : node;
}

void write_files(const provision::StateLayout& layout, const provision::InitialisedCa& made,
                 const std::string& process_config) {
  std::filesystem::create_directory(layout.tls_directory());
  std::filesystem::permissions(layout.tls_directory(), std::filesystem::perms::owner_all);
  if (made.tls_key_uri.empty()) {
    write_new_file(layout.tls_key(), made.tls_key.text(), FileMode::secret);
  }
  write_new_file(layout.tls_chain(), made.tls_certificate.to_pem() + made.issuing.to_pem(),
                 FileMode::readable);
  write_new_file(layout.ca_bundle(), made.root.to_pem() + made.issuing.to_pem(),
                 FileMode::readable);
  write_new_file(layout.account_user(), made.user + "\n", FileMode::secret);
  std::string password = std::string(made.password.text()) + "\n";
  write_new_file(layout.account_password(), password, FileMode::secret);
  cleanse(password);
  // Last: without it the directory counts as never initialised.
  write_new_file(layout.configuration(), process_config, FileMode::readable);
}

}  // namespace

InitialisedState initialise_state(const InitialiseOptions& options) {
  const hsm::TokenInfo info = find_token(options);
  const provision::StateLayout layout(options.state);
  const SystemClock clock;
  // Undone in the reverse order when anything throws: store closed, keys destroyed, files removed.
  StateInTheMaking state(layout);
  TokenCeremony ceremony(open_token(options, info));
  provision::KeysInTheMaking keys(ceremony);
  const auto store = store::Store::create(layout.store(), node_name(), clock);
  const provision::InitialisedCa made =
      provision::initialise(options.plan, keys,
                            {.registry = store->registry(),
                             .configuration = store->configuration(),
                             .audit = store->audit_log(),
                             .clock = clock});
  write_files(layout, made,
              process_config_text({.host = options.host,
                                   .port = options.port,
                                   .module = options.module,
                                   .init_args = options.init_args,
                                   .token_label = info.label,
                                   .token_serial = info.serial,
                                   .pin_file = options.pin_file,
                                   .tls_key_uri = made.tls_key_uri}));
  keys.keep();
  state.keep();
  return {.root = made.root, .issuing = made.issuing, .user = made.user};
}

}  // namespace estia::admin
