// SPDX-License-Identifier: Apache-2.0
#include "admin/token/module_candidates.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include "crypto/base/error.h"
#include "crypto/base/file.h"

namespace estia::admin {
namespace {

constexpr std::size_t kLargestFile = 64U << 10U;
constexpr std::string_view kBlank = " \t\r";

/// Below the multiarch library folder.
constexpr std::array<const char*, 7> kDebianModules = {"softhsm/libsofthsm2.so",
                                                       "opensc-pkcs11.so",
                                                       "opencryptoki/libopencryptoki.so",
                                                       "pkcs11/libtpm2_pkcs11.so",
                                                       "pkcs11/yubihsm_pkcs11.so",
                                                       "libykcs11.so",
                                                       "libykcs11.so.2"};
/// Where makers of HSMs install theirs.
constexpr std::array<const char*, 5> kMakersModules = {
    "/opt/nfast/toolkits/pkcs11/libcknfast.so", "/usr/safenet/lunaclient/lib/libCryptoki2_64.so",
    "/opt/utimaco/lib/libcs_pkcs11_R3.so", "/opt/cloudhsm/lib/libcloudhsm_pkcs11.so",
    "/usr/lib/libeTPkcs11.so"};

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlank);
  return begin == std::string_view::npos
             ? std::string_view()
             : text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

/// What follows "module:" in the file; empty where nothing does.
std::string module_in(const std::string& text) {
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = trimmed(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const std::size_t colon = line.find(':');
    if (!line.starts_with('#') && colon != std::string_view::npos &&
        trimmed(line.substr(0, colon)) == "module") {
      return std::string(trimmed(line.substr(colon + 1)));
    }
  }
  return {};
}

std::vector<std::filesystem::path> module_files(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".module") {
      files.push_back(entry.path());
    }
  }
  std::ranges::sort(files);
  return files;
}

/// Both names of one library: p11-kit-proxy.so is a link to libp11-kit.so.0.
bool is_proxy(const std::filesystem::path& real) {
  return real.filename().string().starts_with("libp11-kit.so") ||
         real.filename().string().starts_with("p11-kit-proxy");
}

}  // namespace

std::vector<ModuleCandidate> named_by_p11_kit(std::span<const std::filesystem::path> folders,
                                              const std::filesystem::path& module_folder) {
  std::vector<ModuleCandidate> found;
  for (const std::filesystem::path& folder : folders) {
    for (const std::filesystem::path& file : module_files(folder)) {
      try {
        const std::filesystem::path module = module_in(read_file(file, kLargestFile));
        if (!module.empty()) {
          found.push_back({module_folder / module, file.string()});
        }
      } catch (const Error&) {
        // p11-kit goes on without it, too.
      }
    }
  }
  return found;
}

std::vector<ModuleCandidate> modules_of_this_machine() {
  const std::array<std::filesystem::path, 2> folders = {"/etc/pkcs11/modules",
                                                        ESTIA_P11_KIT_MODULE_CONFIGS};
  std::vector<ModuleCandidate> all = named_by_p11_kit(folders, ESTIA_P11_KIT_MODULE_PATH);
  const std::filesystem::path libraries =
      std::filesystem::path(ESTIA_P11_KIT_MODULE_PATH).parent_path();
  for (const char* module : kDebianModules) {
    all.push_back({libraries / module, "well-known path"});
  }
  for (const char* module : kMakersModules) {
    all.push_back({module, "well-known path"});
  }
  std::vector<ModuleCandidate> found;
  std::set<std::filesystem::path> seen;
  for (ModuleCandidate& candidate : all) {
    std::error_code missing;
    const std::filesystem::path real = std::filesystem::canonical(candidate.path, missing);
    const bool guessed = !candidate.named_by.starts_with('/');
    if ((missing && guessed) || is_proxy(real) || is_proxy(candidate.path) ||
        !seen.insert(missing ? candidate.path : real).second) {
      continue;
    }
    found.push_back(std::move(candidate));
  }
  return found;
}

}  // namespace estia::admin
