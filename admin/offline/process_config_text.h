// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace estia::admin {

/// What `estia init` puts into estia.toml.
struct ProcessConfigValues {
  std::string host{};
  std::uint16_t port = 0;
  std::filesystem::path module{};
  std::string init_args{};
  std::string token_label{};
  std::string token_serial{};
  std::filesystem::path pin_file{};
  std::string tls_key_uri{};  ///< empty: the key is in its file
};

/// The commented estia.toml of a fresh state directory. app::load_process_config reads it.
[[nodiscard]] std::string process_config_text(const ProcessConfigValues& values);

}  // namespace estia::admin
