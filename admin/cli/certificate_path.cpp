// SPDX-License-Identifier: Apache-2.0
#include "admin/cli/certificate_path.h"

#include <CLI/CLI.hpp>

#include "crypto/base/error.h"

namespace estia::admin {

std::string certificate_path(const std::string& serial) {
  if (serial.empty() || serial.find_first_not_of("0123456789abcdefABCDEF:") != std::string::npos) {
    throw CLI::ValidationError(
        "--serial", "'" + serial + "' is not a serial number: 1 to 20 octets in hexadecimal");
  }
  return "/certificates/" + serial;
}

Json change_certificate(ManagementClient& client, const std::string& serial,
                        const std::string& what, const Json& body) {
  try {
    return client.send("POST", certificate_path(serial) + "/" + what, body);
  } catch (const Error& error) {
    if (error.id() == "serial.invalid") {
      throw CLI::ValidationError("--serial", error.what());
    }
    if (error.id() == "revoke.reason") {
      throw CLI::ValidationError("--reason", error.what());
    }
    throw;
  }
}

}  // namespace estia::admin
