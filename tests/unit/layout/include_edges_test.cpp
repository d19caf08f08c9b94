// SPDX-License-Identifier: Apache-2.0
// The architecture is what may include what. A planted fault shows that each rule can fail.
#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>

#include "tests/support/paths.h"
#include "tests/unit/layout/edges.h"

namespace estia::layout {
namespace {

std::vector<std::string> violations(std::string path, std::vector<std::string> lines) {
  return include_violations({std::move(path), std::move(lines)});
}

TEST(IncludeEdges, ProductFollowsTheTable) {
  const auto sources = product_sources(read_tree(test::source_directory()));
  ASSERT_FALSE(sources.empty());
  std::size_t includes = 0;
  for (const SourceFile& file : sources) {
    includes += includes_of(file).size();
    for (const std::string& violation : include_violations(file)) {
      ADD_FAILURE() << violation;
    }
  }
  EXPECT_GT(includes, sources.size()) << "the reader of #include lines finds too little";
}

struct Planted {
  const char* path;
  const char* line;
};

std::ostream& operator<<(std::ostream& out, const Planted& planted) {
  return out << planted.path << ": " << planted.line;
}

class PlantedFault : public testing::TestWithParam<Planted> {};

TEST_P(PlantedFault, IsReported) {
  const auto found = violations(GetParam().path, {"// a comment", GetParam().line});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_TRUE(found.front().starts_with(std::string(GetParam().path) + ":2: ")) << found.front();
}

INSTANTIATE_TEST_SUITE_P(
    IncludeEdges, PlantedFault,
    testing::Values(Planted{"crypto/base/error.cpp", "#include \"crypto/x509/csr.h\""},
                    Planted{"crypto/keys/key.h", "#include \"hsm/token.h\""},
                    Planted{"crypto/cms/a.h", "#include \"crypto/est/change_subject_name.h\""},
                    Planted{"hsm/token.cpp", "#include \"crypto/x509/csr.h\""},
                    Planted{"hsm/token.cpp", "#include \"hsm/faults/functions.h\""},
                    Planted{"server/app/daemon.cpp", "#include \"hsm/faults/injector.h\""},
                    Planted{"admin/offline/a.cpp", "#include \"hsm/faults/injector.h\""},
                    Planted{"hsm/faults/module.cpp", "#include \"hsm/ckr.h\""},
                    Planted{"hsm/faults/module.cpp", "#include \"crypto/base/error.h\""},
                    Planted{"server/ca/issuer.cpp", "#include \"hsm/token.h\""},
                    Planted{"server/ca/issuer.cpp", "  #  include \"server/store/store.h\""},
                    Planted{"server/ca/issuer.cpp", "#include\"server/auth/identity.h\""},
                    Planted{"server/http/server.cpp", "#include \"server/ca/issuer.h\""},
                    Planted{"server/est/routes.cpp", "#include \"server/store/store.h\""},
                    Planted{"server/est/routes.cpp", "#include \"server/app/config.h\""},
                    Planted{"server/store/db.cpp", "#include \"server/http/server.h\""},
                    Planted{"admin/cli/revoke.cpp", "#include \"server/store/store.h\""},
                    Planted{"admin/token/init.cpp", "#include \"server/store/store.h\""},
                    Planted{"server/ca/deep/er/x.cpp", "#include \"hsm/token.h\""},
                    Planted{"server/app/x.cpp", "#include \"admin/cli/x.h\""},
                    Planted{"server/main.cpp", "#include \"tests/support/fake_clock.h\""},
                    Planted{"crypto/base/error.cpp", "#include \"error.h\""},
                    Planted{"crypto/base/error.cpp", "#include \"../keys/key.h\""},
                    Planted{"crypto/base/error.cpp", "#include <crypto/base/error.h>"},
                    Planted{"server/est/routes.cpp", "#include <Poco/Net/HTTPServer.h>"},
                    Planted{"server/ca/issuer.cpp", "#include <sqlite3.h>"},
                    Planted{"server/ca/issuer.cpp", "#include <p11-kit/pkcs11.h>"},
                    Planted{"hsm/token.cpp", "#include <libp11.h>"},
                    Planted{"server/app/config.cpp", "#include <CLI/CLI.hpp>"},
                    Planted{"server/ca/model.cpp", "#include <toml++/toml.h>"},
                    Planted{"hsm/token.cpp", "#include <gtest/gtest.h>"}));

TEST(IncludeEdges, UnknownModuleIsReported) {
  EXPECT_EQ(violations("server/surprise/a.cpp", {}).size(), 1U);
  EXPECT_EQ(violations("crypto/a.cpp", {}).size(), 1U);
  EXPECT_FALSE(is_known_module("server/surprise"));
}

TEST(IncludeEdges, AllowedEdgesAreNot) {
  EXPECT_TRUE(violations("server/app/x.cpp",
                         {"#include \"server/app/x.h\"", "#include \"server/store/store.h\"",
                          "#include \"hsm/token.h\"", "#include <Poco/Util/A.h>",
                          "#include <toml++/toml.h>", "#include <vector>"})
                  .empty());
  EXPECT_TRUE(violations("server/main.cpp", {"#include <Poco/Util/ServerApplication.h>"}).empty());
  EXPECT_TRUE(
      violations("admin/main.cpp", {"#include \"admin/token/init.h\"", "#include <CLI/CLI.hpp>"})
          .empty());
  EXPECT_TRUE(violations("admin/cli/a.cpp", {"// #include \"hsm/token.h\""}).empty());
}

/// The right to say that a credential was good: an edge that no #include shows.
TEST(IncludeEdges, OnlyServerAuthChecksCredentials) {
  std::size_t users = 0;
  for (const SourceFile& file : product_sources(read_tree(test::source_directory()))) {
    const bool uses = std::ranges::any_of(file.lines, [](const std::string& line) {
      return line.substr(0, line.find("//")).find("CredentialCheck") != std::string::npos;
    });
    if (uses) {
      ++users;
      EXPECT_TRUE(file.path == "server/ca/identity.h" || file.path.starts_with("server/auth/"))
          << file.path;
    }
  }
  EXPECT_EQ(users, 2U);
}

}  // namespace
}  // namespace estia::layout
