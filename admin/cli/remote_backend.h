// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "admin/cli/backend.h"
#include "admin/cli/management_client.h"

namespace estia::admin {

/// Commands carried out by the running estiad.
class RemoteBackend final : public Backend {
 public:
  explicit RemoteBackend(const std::filesystem::path& socket) : client_(socket) {}

  [[nodiscard]] Checked check(const std::string& document, const std::string& source) override;
  [[nodiscard]] Changes replace(const Replacement& wanted) override;
  [[nodiscard]] std::string exported_configuration() override;
  [[nodiscard]] std::string revoke(const std::string& serial, const std::string& reason) override;

 private:
  ManagementClient client_;
};

}  // namespace estia::admin
