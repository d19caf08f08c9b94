// SPDX-License-Identifier: Apache-2.0
// tests/e2e/flows.sh as docs/clients.md shows it: on a fresh installation, a second time, and what
// it left renews after a crash.
#include <algorithm>

#include "crypto/base/file.h"
#include "tests/e2e/support/managed_site.h"
#include "tests/support/paths.h"

namespace estia::e2e {
namespace {

class Flows : public ManagedSite {
 protected:
  /// The settings as softhsm-setup/demo.sh writes them, and where `estia` is.
  [[nodiscard]] std::string settings() const {
    const auto file = client->new_file(".env");
    write_new_file(file,
                   "ESTIA_HOST='localhost'\nESTIA_PORT='" + server->port() + "'\nESTIA_CA='" +
                       installation.ca_bundle().string() + "'\nESTIA_STATE='" + state() +
                       "'\nESTIA='" + program("estia") + "'\n",
                   FileMode::secret);
    return file.string();
  }
  [[nodiscard]] Finished flows(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(),
                     {"bash", (test::source_directory() / "tests/e2e/flows.sh").string()});
    return run(arguments, installation.directory());
  }
  void expect_passed(const std::vector<std::string>& arguments, std::ptrdiff_t steps) const {
    const Finished finished = flows(arguments);
    EXPECT_EQ(finished.code, 0) << finished.out << finished.err;
    EXPECT_TRUE(finished.out.ends_with("all flows passed\n")) << finished.out;
    EXPECT_EQ(lines_with(finished.out, "PASS  "), steps) << finished.out;
    EXPECT_EQ(finished.out.find("FAIL"), std::string::npos) << finished.out;
    EXPECT_EQ(finished.err, "");
  }
  static std::ptrdiff_t lines_with(const std::string& text, const std::string& start) {
    std::ptrdiff_t count = 0;
    for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
      count += text.compare(at, start.size(), start) == 0 ? 1 : 0;
    }
    return count;
  }

  static constexpr std::ptrdiff_t kSteps = 22;
  static constexpr std::ptrdiff_t kRenewals = 7;
};

TEST_F(Flows, PassTwiceAndRenewAfterAKill) {
  const std::string before = estia_ok({"config", "export"});
  expect_passed({settings()}, kSteps);
  EXPECT_EQ(estia_ok({"config", "export"}), before) << "what it configured is gone";
  const std::string kept = (installation.directory() / "kept").string();
  expect_passed({settings(), kept}, kSteps);
  EXPECT_NE(estia_ok({"config", "export"}), before);
  kill_and_start();
  expect_passed({"--renew", settings(), kept}, kRenewals);
  EXPECT_EQ(server->stop(), 0);
  start();
  expect_passed({"--renew", settings(), kept}, kRenewals);
}

/// A script that cannot fail proves nothing.
TEST_F(Flows, TheFirstStepThatFailsEndsThem) {
  const std::string kept = (installation.directory() / "kept").string();
  expect_passed({settings(), kept}, kSteps);
  const std::string number = read_file(installation.directory() / "kept/run");
  estia_ok({"entity", "disable", "--username", "u-" + number.substr(0, number.find('\n'))});
  const Finished finished = flows({"--renew", settings(), kept});
  EXPECT_EQ(finished.code, 1);
  EXPECT_EQ(lines_with(finished.out, "PASS  "), kRenewals - 1) << finished.out;
  EXPECT_EQ(lines_with(finished.out, "FAIL  5: the same name again"), 1) << finished.out;
  EXPECT_NE(finished.err.find("answered 403, not 200"), std::string::npos) << finished.err;
  const Finished again = flows({settings(), kept});
  EXPECT_EQ(again.code, 1) << "an earlier run's keys are not written over";
  EXPECT_EQ(lines_with(again.out, "PASS  "), 0);
}

}  // namespace
}  // namespace estia::e2e
