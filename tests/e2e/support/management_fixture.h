// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "crypto/base/file.h"
#include "tests/e2e/support/managed_site.h"
#include "tests/e2e/support/open_connection.h"

namespace estia::e2e {

using nlohmann::json;

inline constexpr const char* kPassword = "line-7-password-0123456789abcdef";
inline constexpr const char* kFactory = R"(
[[alias]]
name = "factory"
ca = "issuing"
end_entity_profile = "device"
certificate_profile = "device"
authenticators = ["basic"]
ra_scope = "CN=made-*"

[[account]]
alias = "factory"
user = "line-7"
)";

/// The first `from`, which must be there.
inline std::string replaced(std::string text, const std::string& from, const std::string& to) {
  EXPECT_NE(text.find(from), std::string::npos) << from;
  return text.replace(text.find(from), from.size(), to);
}

/// The site as a program sees it that speaks with the management socket.
class Management : public ManagedSite {
 protected:
  [[nodiscard]] std::string socket() const { return state() + "/management/socket"; }
  [[nodiscard]] std::string exported() const { return estia_ok({"config", "export"}); }
  [[nodiscard]] std::string with_factory() const {
    replace_file(installation.directory() / "line-7.password", std::string(kPassword) + "\n",
                 FileMode::secret);
    return exported() + kFactory + "password_file = \"line-7.password\"\n";
  }
  /// What curl gets on the management socket, perhaps run as another user: status and JSON.
  [[nodiscard]] std::pair<int, json> manage(const std::string& method, const std::string& path,
                                            const json& body = nullptr,
                                            std::vector<std::string> command = {}) const {
    command.insert(command.end(), {"curl", "-q", "-sS", "--unix-socket", socket(), "--max-time",
                                   "40", "-X", method, "-w", "\n%{http_code}"});
    if (!body.is_null()) {
      const std::filesystem::path file = client->new_file(".json");
      write_new_file(file, body.dump(), FileMode::secret);
      command.insert(command.end(), {"-H", "Content-Type: application/json", "--data-binary",
                                     "@" + file.string()});
    }
    command.push_back("http://localhost/v1" + path);
    const std::string out = run_ok(command, installation.directory());
    const std::size_t end = out.rfind('\n');
    return {std::stoi(out.substr(end + 1)), json::parse(out.substr(0, end))};
  }
  [[nodiscard]] std::uint64_t version() const {
    return manage("GET", "/status").second.at("configuration");
  }
  [[nodiscard]] Answer enroll_at_factory(const std::string& subject) const {
    return client->post("factory/simpleenroll", EstClient::csr_base64(client->make_device(subject)),
                        client->as_user("line-7", kPassword));
  }
  static std::string operator_name() { return "operator uid " + std::to_string(::getuid()); }
};

}  // namespace estia::e2e
