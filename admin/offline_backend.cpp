// SPDX-License-Identifier: Apache-2.0
#include "admin/offline_backend.h"

#include <optional>
#include <utility>

#include "admin/offline/operations.h"

namespace estia::admin {
namespace {

class OfflineBackend final : public Backend {
 public:
  explicit OfflineBackend(std::filesystem::path directory) : directory_(std::move(directory)) {}

  [[nodiscard]] Checked check(const std::string& document, const std::string& source) override {
    const auto report = check_configuration(state(), document, source);
    Checked checked{.changes = changes_of(report.changes), .diff = report.diff};
    for (const auto& needed : report.needs) {
      checked.needs.push_back({needed.alias, needed.user, needed.password_file, needed.generated});
    }
    return checked;
  }

  [[nodiscard]] Changes replace(const Replacement& wanted) override {
    provision::ApplyRequest request{
        .document = wanted.document, .source = wanted.source, .replaces = wanted.replaces};
    for (const GivenPassword& given : wanted.passwords) {
      request.passwords.emplace(std::pair(given.alias, given.user), given.password.clone());
    }
    return changes_of(replace_configuration(state(), std::move(request)));
  }

  [[nodiscard]] std::string exported_configuration() override {
    return admin::exported_configuration(state());
  }

  [[nodiscard]] std::string revoke(const std::string& serial, const std::string& reason) override {
    const ParsedRevocation parsed = parse_revocation(serial, reason);  // misuse opens nothing
    return revoke_certificate(state(), parsed);
  }

 private:
  static Changes changes_of(const provision::ApplyReport& report) {
    return {.version = report.version,
            .added = report.added,
            .changed = report.changed,
            .removed = report.removed,
            .warnings = report.warnings};
  }

  OpenState& state() { return state_ ? *state_ : state_.emplace(directory_); }

  std::filesystem::path directory_;
  std::optional<OpenState> state_;
};

}  // namespace

std::unique_ptr<Backend> open_offline(const std::filesystem::path& state) {
  return std::make_unique<OfflineBackend>(state);
}

}  // namespace estia::admin
