// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/java_program.h"

#include <filesystem>
#include <stdexcept>

#include "tests/conformance/site.h"

namespace estia::conformance {

std::vector<std::string> java_program(const std::string& main_class,
                                      const std::vector<std::string>& arguments) {
  require_program("java", "default-jdk-headless");
  require_program("javac", "default-jdk-headless");
  require_file("/usr/share/java/bcpkix.jar", "libbcpkix-java");
  const std::string path = ESTIA_JAVA_PATH;
  if (!std::filesystem::exists(path.substr(0, path.find(':')) + "/" + main_class + ".class")) {
    throw std::runtime_error("configure and build again: javac or libbcpkix-java was missing");
  }
  return std::vector<std::string>{"java", "-Xshare:auto", "-XX:TieredStopAtLevel=1",
                                  "-cp",  path,           main_class} +
         arguments;
}

}  // namespace estia::conformance
