// SPDX-License-Identifier: Apache-2.0
#include "server/app/process_config.h"

#include <strings.h>

#include <algorithm>
#include <array>
#include <limits>
#include <system_error>
#include <utility>

#include "crypto/base/error.h"
#include "crypto/base/file.h"
#include "server/app/toml_section.h"
#include "server/http/unix_socket_file.h"

namespace estia::app {
namespace {

constexpr std::size_t kLargestFile = 1U << 20U;
constexpr const char* kManagementSocket = "management/socket";
const std::string kPinMarker = "token-pin-refused";
constexpr std::int64_t kLargestUid = 4'294'967'294;  // the one above means "no user"

std::filesystem::path path_in(const std::filesystem::path& state, const std::string& text) {
  return std::filesystem::absolute(state / text).lexically_normal();
}

template <class Target>
void set_integer(TomlSection& section, std::string_view key, std::int64_t least, std::int64_t most,
                 Target& target) {
  if (const auto value = section.integer(key, least, most)) {
    target = static_cast<Target>(*value);
  }
}

void set_duration(TomlSection& section, std::string_view key, std::chrono::milliseconds& target) {
  const auto value = section.duration(key);
  if (!value) {
    return;
  }
  if (value->count() == 0) {
    section.refuse(key, "must be longer than nothing");
  }
  target = *value;
}

void read_host(TomlSection& section, std::string& target) {
  if (const auto host = section.text("host")) {
    if (host->empty()) {
      section.refuse("host", "must be a name or an address");
    }
    target = *host;
  }
}

/// What `make` refuses is the key's value.
template <class Make>
auto value_of(const TomlSection& section, std::string_view key, Make make) {
  try {
    return make();
  } catch (const Error& error) {
    section.refuse(key, error.what());
  }
}

/// A file, or a key in the token.
void read_key(TomlSection& section, const std::filesystem::path& state,
              ProcessConfig::EstListener& listener) {
  constexpr std::string_view kScheme = "pkcs11:";  // RFC 3986 3.1: in whatever case
  const std::string key = section.required_text("key");
  if (::strncasecmp(key.c_str(), kScheme.data(), kScheme.size()) == 0) {
    listener.token_key = value_of(
        section, "key", [&] { return hsm::KeyUri::parse("pkcs11:" + key.substr(kScheme.size())); });
  } else {
    listener.key = path_in(state, key);
  }
}

ProcessConfig::EstListener read_listener(TomlSection section, const std::filesystem::path& state) {
  ProcessConfig::EstListener listener;
  read_host(section, listener.host);
  set_integer(section, "port", 0, std::numeric_limits<std::uint16_t>::max(), listener.port);
  listener.certificate = path_in(state, section.required_text("certificate"));
  read_key(section, state, listener);
  const std::vector<std::string> proxies = section.texts("proxies");
  listener.proxies = value_of(section, "proxies", [&] { return http::Networks(proxies); });
  if (section.flag("resumption").value_or(false)) {
    listener.resumption = http::Resumption::on;
  }
  section.finish();
  return listener;
}

ProcessConfig::ManagementListener read_management(TomlSection section,
                                                  const std::filesystem::path& state) {
  ProcessConfig::ManagementListener listener;
  listener.enabled = section.flag("enabled").value_or(true);
  listener.socket = path_in(state, section.text("socket").value_or(kManagementSocket));
  if (listener.enabled && listener.socket.native().size() > http::kLongestSocketPath) {
    section.refuse("socket", listener.socket.string() +
                                 " is too long: a socket's path has at most " +
                                 std::to_string(http::kLongestSocketPath) + " bytes");
  }
  for (const std::int64_t uid : section.integers("uids", 0, kLargestUid)) {
    listener.uids.push_back(static_cast<unsigned>(uid));
  }
  section.finish();
  return listener;
}

/// There when somebody says a port.
ProcessConfig::OpsListener read_ops(TomlSection section) {
  ProcessConfig::OpsListener listener;
  read_host(section, listener.host);
  std::int64_t port = -1;
  set_integer(section, "port", 0, std::numeric_limits<std::uint16_t>::max(), port);
  listener.enabled = port >= 0;
  listener.port = static_cast<std::uint16_t>(std::max<std::int64_t>(port, 0));
  section.finish();
  return listener;
}

bool is_file_name(const std::string& text) {
  return !text.empty() && text.front() != '.' && text.find('/') == std::string::npos;
}

/// Exactly one of three: two sources would leave open which PIN is meant.
void read_pin(TomlSection& section, const std::filesystem::path& state,
              ProcessConfig::Token& token) {
  const auto file = section.text("pin_file");
  const auto credential = section.text("pin_credential");
  const auto from = section.text("pin_from");
  const int given = (file ? 1 : 0) + (credential ? 1 : 0) + (from ? 1 : 0);
  if (given == 0) {
    static_cast<void>(section.required_text("pin_file"));
  }
  if (given != 1) {
    section.refuse("pin_file", "exactly one of pin_file, pin_credential and pin_from is needed");
  }
  if (file) {
    if (file->empty()) {
      section.refuse("pin_file", "must name a file");
    }
    token.pin_file = path_in(state, *file);
  } else if (credential) {
    if (!is_file_name(*credential)) {
      section.refuse("pin_credential", "must be the name of a credential");
    }
    token.pin_from = ProcessConfig::PinFrom::credential;
    token.pin_credential = *credential;
  } else {
    if (*from != "operator") {
      section.refuse("pin_from", "must be \"operator\"");
    }
    token.pin_from = ProcessConfig::PinFrom::operators;
  }
}

hsm::Signing read_signing(TomlSection& section) {
  const std::string by = section.text("signing").value_or("native");
  if (by != "native" && by != "pkcs11-provider") {
    section.refuse("signing", "must be native or pkcs11-provider");
  }
  return by == "native" ? hsm::Signing::native : hsm::Signing::pkcs11_provider;
}

/// `name`: among `tokens`; empty for the main one.
ProcessConfig::Token read_token(TomlSection section, const std::filesystem::path& state,
                                const std::string& name = {}) {
  ProcessConfig::Token token;
  token.module = path_in(state, section.required_text("module"));
  token.init_args = section.text("init_args").value_or("");
  token.label = section.text("label").value_or("");
  token.serial = section.text("serial").value_or("");
  if (token.label.empty() && token.serial.empty()) {
    section.refuse("label", "label or serial is needed to tell which token");
  }
  read_pin(section, state, token);
  token.pin_marker = path_in(state, kPinMarker + (name.empty() ? "" : "-" + name));
  set_integer(section, "max_sessions", 1, hsm::TokenConfig::kMostSessions, token.max_sessions);
  set_duration(section, "session_wait", token.session_wait);
  set_duration(section, "call_limit", token.call_limit);
  token.signing = read_signing(section);
  section.finish();
  return token;
}

/// Names stand in labels of metrics, file names and commands.
bool is_token_name(std::string_view name) {
  constexpr std::size_t kLongest = 32;
  return !name.empty() && name.size() <= kLongest && name != ProcessConfig::kMainToken &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

std::string unpadded(std::string text) {
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

/// False where what both say of it differs: they cannot mean one token.
bool may_be_same(const std::string& one, const std::string& other) {
  return one.empty() || other.empty() || unpadded(one) == unpadded(other);
}

/// hsm knows a module by this path, too; one that is not there stays as it is said.
std::filesystem::path real_path(const std::filesystem::path& module) {
  std::error_code ignored;
  const std::filesystem::path real = std::filesystem::canonical(module, ignored);
  return ignored ? module : real;
}

/// A wrong PIN would be tried by each, and each counts against the token's limit.
void check_named_once(const std::filesystem::path& file, const ProcessConfig& config) {
  std::vector<std::pair<std::string, const ProcessConfig::Token*>> seen{{"token", &config.token}};
  for (const auto& [name, token] : config.tokens) {
    for (const auto& [other_name, other] : seen) {
      if (real_path(token.module) == real_path(other->module) &&
          may_be_same(token.label, other->label) && may_be_same(token.serial, other->serial)) {
        throw Error(ErrorCode::config, "config.token_twice",
                    file.string() + ": " + other_name + " and tokens." + name +
                        " may be one token, whose PIN each would try: give label and serial of "
                        "both, or leave one out");
      }
    }
    seen.emplace_back("tokens." + name, &token);
  }
}

std::map<std::string, ProcessConfig::Token> read_tokens(TomlSection section,
                                                        const std::filesystem::path& state) {
  std::map<std::string, ProcessConfig::Token> tokens;
  for (const std::string& name : section.keys()) {
    if (!is_token_name(name)) {
      section.refuse(name, "a token's name has 1 to 32 of a-z, 0-9 and -, and is not main");
    }
    tokens.emplace(name, read_token(section.section(name), state, name));
  }
  section.finish();
  return tokens;
}

ProcessConfig::ServerKeygen read_serverkeygen(
    TomlSection section, const std::map<std::string, ProcessConfig::Token>& tokens) {
  constexpr std::int64_t kMostAtOnce = 64;
  constexpr std::int64_t kMostStock = 64;
  ProcessConfig::ServerKeygen keys;
  keys.token = section.text("token").value_or("");
  if (!keys.token.empty() && !tokens.contains(keys.token)) {
    section.refuse("token", "names none of the tokens");
  }
  set_integer(section, "at_once", 1, kMostAtOnce, keys.at_once);
  set_integer(section, "rsa_at_once", 1, kMostAtOnce, keys.rsa_at_once);
  for (const auto& [key, kind] :
       {std::pair{"stock_rsa_2048", "RSA-2048"}, std::pair{"stock_rsa_3072", "RSA-3072"},
        std::pair{"stock_rsa_4096", "RSA-4096"}}) {
    std::size_t pairs = 0;
    set_integer(section, key, 0, kMostStock, pairs);
    if (pairs > 0) {
      keys.stock.emplace(kind, pairs);
    }
  }
  section.finish();
  return keys;
}

void read_limits(TomlSection section, ProcessConfig& config) {
  constexpr std::int64_t kMostConnections = 100'000;
  constexpr std::int64_t kMostWorkers = 1024;
  constexpr std::int64_t kMostHandshakes = 1024;
  constexpr std::int64_t kLeastBuffered = 1 << 20;
  constexpr std::int64_t kMostBuffered = std::int64_t{1} << 40;
  set_duration(section, "handshake", config.limits.handshake);
  set_duration(section, "header", config.limits.header);
  set_duration(section, "body", config.limits.body);
  set_duration(section, "idle", config.limits.idle);
  set_duration(section, "send", config.limits.send);
  set_duration(section, "linger", config.limits.linger);
  set_duration(section, "queue", config.limits.queue);
  set_duration(section, "answer", config.limits.answer);
  set_integer(section, "connections", 1, kMostConnections, config.limits.connections);
  set_integer(section, "per_address", 1, kMostConnections, config.limits.per_address);
  set_integer(section, "buffered_bytes", kLeastBuffered, kMostBuffered,
              config.limits.buffered_bytes);
  set_integer(section, "workers", 1, kMostWorkers, config.limits.workers);
  set_integer(section, "handshakes_at_once", 1, kMostHandshakes, config.limits.handshakes_at_once);
  set_duration(section, "drain", config.drain);
  set_duration(section, "drain_notice", config.drain_notice);
  section.finish();
}

void read_log(TomlSection section, ProcessConfig& config) {
  constexpr std::array<std::string_view, 5> kLevels{"trace", "debug", "info", "warn", "error"};
  if (const auto level = section.text("level")) {
    if (std::find(kLevels.begin(), kLevels.end(), *level) == kLevels.end()) {
      section.refuse("level", "must be one of trace, debug, info, warn, error");
    }
    config.log_level = *level;
  }
  section.finish();
}

toml::table parse(const std::filesystem::path& file) {
  try {
    return toml::parse(read_file(file, kLargestFile), file.string());
  } catch (const toml::parse_error& error) {
    throw Error(ErrorCode::config, "config.syntax",
                file.string() + ":" + std::to_string(error.source().begin.line) + ": " +
                    std::string(error.description()));
  }
}

}  // namespace

ProcessConfig load_process_config(const std::filesystem::path& file,
                                  const std::filesystem::path& state) {
  const toml::table table = parse(file);
  TomlSection root(table, file);
  ProcessConfig config;
  config.file = file;
  TomlSection listeners = root.section("listener");
  config.est = read_listener(listeners.section("est"), state);
  config.management = read_management(listeners.section("management"), state);
  config.ops = read_ops(listeners.section("ops"));
  listeners.finish();
  TomlSection store = root.section("store");
  config.store = path_in(state, store.required_text("path"));
  store.finish();
  config.token = read_token(root.section("token"), state);
  config.tokens = read_tokens(root.section("tokens"), state);
  check_named_once(file, config);
  config.serverkeygen = read_serverkeygen(root.section("serverkeygen"), config.tokens);
  read_limits(root.section("limits"), config);
  read_log(root.section("log"), config);
  root.finish();
  return config;
}

}  // namespace estia::app
