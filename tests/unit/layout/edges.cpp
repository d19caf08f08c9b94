// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/layout/edges.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace estia::layout {
namespace {

using Names = std::vector<std::string_view>;

struct Edge {
  std::string_view from;
  Names to;  // "crypto" stands for every module below crypto/
};

struct Library {
  std::string_view header;  // a prefix of what stands between < and >
  Names users;
};

/// The architecture. Lowest first; a module may always include itself.
const std::vector<Edge>& allowed_edges() {
  static const std::vector<Edge> edges = {
      {"crypto/base", {}},
      {"crypto/openssl", {"crypto/base"}},
      {"crypto/keys", {"crypto/base", "crypto/openssl"}},
      {"crypto/x509", {"crypto/base", "crypto/openssl", "crypto/keys"}},
      {"crypto/cms", {"crypto/base", "crypto/openssl", "crypto/keys", "crypto/x509"}},
      {"crypto/est", {"crypto/base", "crypto/openssl", "crypto/keys", "crypto/x509", "crypto/cms"}},
      {"crypto/cmc",
       {"crypto/base", "crypto/openssl", "crypto/keys", "crypto/x509", "crypto/cms", "crypto/est"}},
      {"hsm", {"crypto/base", "crypto/openssl", "crypto/keys"}},
      {"hsm/faults", {}},
      {"server/ca", {"crypto"}},
      {"server/auth", {"server/ca", "crypto"}},
      {"server/store", {"server/ca", "server/auth", "crypto"}},
      {"server/provision", {"server/ca", "server/auth", "crypto"}},
      {"server/ops", {"crypto/base"}},
      {"server/http", {"server/ops", "crypto"}},
      {"server/est", {"server/http", "server/auth", "server/ca", "server/ops", "crypto"}},
      {"server/status", {"server/http", "server/auth", "server/ca", "server/ops", "crypto"}},
      {"server/api",
       {"server/http", "server/auth", "server/ca", "server/provision", "server/ops", "crypto"}},
      {"server/app", {"server", "hsm", "crypto"}},
      {"server", {"server", "hsm", "crypto"}},
      {"admin/cli", {"crypto/base"}},
      {"admin/offline",
       {"server/app", "server/provision", "server/store", "server/auth", "server/ca", "hsm",
        "crypto"}},
      {"admin/token", {"admin/cli", "hsm", "crypto"}},
      {"admin/ceremony", {"hsm", "crypto"}},
      {"admin", {"admin"}},
  };
  return edges;
}

const std::vector<Library>& confined_libraries() {
  static const std::vector<Library> libraries = {
      {"Poco/", {"server/http", "server/app", "server"}},
      {"sqlite3", {"server/store"}},
      {"p11-kit/", {"hsm"}},
      {"pkcs11", {"hsm"}},
      {"libp11", {"admin/token"}},
      {"curl/", {"admin/cli"}},
      {"nlohmann/", {"server/api", "admin/cli", "admin/token"}},
      {"CLI/", {"admin", "server"}},
      {"toml++/", {"server/app", "server/provision"}},
      {"toml.hpp", {"server/app", "server/provision"}},
      {"gtest/", {}},
      {"gmock/", {}},
  };
  return libraries;
}

/// What injects faults is part of no other module: nobody may include it, not even "hsm".
constexpr std::string_view kFaults = "hsm/faults";

/// "crypto" covers crypto/base; "server" as a library's user means server/main.cpp alone.
bool covers(std::string_view allowed, std::string_view module) {
  return module == allowed ||
         (module.starts_with(allowed) && module.substr(allowed.size()).starts_with('/'));
}

const Edge* find_edges(std::string_view module) {
  const auto& edges = allowed_edges();
  const auto found = std::ranges::find(edges, module, &Edge::from);
  return found == edges.end() ? nullptr : &*found;
}

bool may_include(const Edge& edges, std::string_view module) {
  return module == edges.from || (module != kFaults && std::ranges::any_of(edges.to, [&](auto to) {
                                    return covers(to, module);
                                  }));
}

bool may_use(const Library& library, std::string_view module) {
  return std::ranges::any_of(library.users, [&](auto user) {
    return user == "server" ? module == user : covers(user, module);
  });
}

std::string judge_own(const Edge& edges, const Include& include) {
  const std::string target = module_of(include.target);
  if (find_edges(target) == nullptr) {
    return "\"" + include.target + "\" is not a header of a module, named from the source root";
  }
  if (!may_include(edges, target)) {
    return std::string(edges.from) + " must not include " + target + " (" + include.target + ")";
  }
  return "";
}

std::string judge_library(std::string_view module, const Include& include) {
  if (find_edges(module_of(include.target)) != nullptr) {
    return "<" + include.target + "> is ours: include it with quotes";
  }
  for (const Library& library : confined_libraries()) {
    if (include.target.starts_with(library.header) && !may_use(library, module)) {
      return std::string(module) + " must not use <" + include.target + ">";
    }
  }
  return "";
}

}  // namespace

std::vector<std::string> include_violations(const SourceFile& file) {
  const std::string module = module_of(file.path);
  const Edge* edges = find_edges(module);
  if (edges == nullptr) {
    return {place(file, 1) + ": " + module + " is not in the table of modules"};
  }
  std::vector<std::string> violations;
  for (const Include& include : includes_of(file)) {
    const std::string fault =
        include.quoted ? judge_own(*edges, include) : judge_library(module, include);
    if (!fault.empty()) {
      violations.push_back(place(file, include.line) + ": " + fault);
    }
  }
  return violations;
}

bool is_known_module(std::string_view module) {
  return find_edges(module) != nullptr;
}

}  // namespace estia::layout
