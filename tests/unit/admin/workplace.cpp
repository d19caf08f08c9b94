// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/admin/workplace.h"

#include <stdlib.h>

#include <stdexcept>

#include "crypto/base/file.h"
#include "tests/e2e/support/installation.h"

namespace estia::test {
namespace {

std::size_t count_files(const std::filesystem::path& folder, const std::string& ending) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    count += entry.is_regular_file() && entry.path().string().ends_with(ending) ? 1U : 0U;
  }
  return count;
}

}  // namespace

Workplace::Workplace() : module_(e2e::softhsm_module()) {
  std::filesystem::create_directory(path("tokens"));
  write_new_file(path("softhsm2.conf"),
                 "directories.tokendir = " + path("tokens").string() +
                     "\nobjectstore.backend = file\nlog.level = ERROR\n",
                 FileMode::secret);
  write_new_file(path("pin"), std::string(kPin) + "\n", FileMode::secret);
  write_new_file(path("so-pin"), std::string(kSoPin) + "\n", FileMode::secret);
  environment_ = {"SOFTHSM2_CONF=" + path("softhsm2.conf").string()};
}

void Workplace::use() const {
  ::setenv("SOFTHSM2_CONF", path("softhsm2.conf").c_str(), 1);
}

e2e::Finished Workplace::estia(const std::vector<std::string>& arguments) const {
  std::vector<std::string> whole{e2e::program("estia")};
  whole.insert(whole.end(), arguments.begin(), arguments.end());
  return e2e::run(whole, scratch_.path(), environment_);
}

std::string Workplace::tool(const std::vector<std::string>& arguments) const {
  return e2e::run_ok(arguments, scratch_.path(), environment_);
}

e2e::Finished Workplace::token_init(const std::string& label,
                                    const std::vector<std::string>& more) const {
  std::vector<std::string> arguments{"token",         "init",
                                     "--module",      module_,
                                     "--label",       label,
                                     "--so-pin-file", path("so-pin").string(),
                                     "--pin-file",    path("pin").string()};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return estia(arguments);
}

e2e::Finished Workplace::init(const std::string& label,
                              const std::vector<std::string>& more) const {
  std::vector<std::string> arguments{
      "init", "--state",    state().string(),     "--module",   module_,   "--token",
      label,  "--pin-file", path("pin").string(), "--ra-scope", "CN=dev-*"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return estia(arguments);
}

void Workplace::make_ca(const std::vector<std::string>& more) const {
  for (const e2e::Finished& step : {token_init(kLabel), init(kLabel, more)}) {
    if (step.code != 0) {
      throw std::runtime_error("estia: " + step.out + step.err);
    }
  }
}

std::size_t Workplace::token_count() const {
  return count_files(path("tokens"), "token.object");
}

std::size_t Workplace::object_count() const {
  return count_files(path("tokens"), ".object") - token_count();
}

std::string Workplace::audited_orders() const {
  return tool({"sqlite3", (state() / "estia.db").string(),
               "SELECT what, outcome, object, detail FROM audit WHERE what LIKE 'token.%' ORDER BY "
               "sequence"});
}

}  // namespace estia::test
