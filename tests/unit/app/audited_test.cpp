// SPDX-License-Identifier: Apache-2.0
// What the audit trail has of an operator's order, however it ends.
#include "server/app/audited.h"

#include <gtest/gtest.h>

#include <string>
#include <system_error>
#include <vector>

namespace estia::app {
namespace {

class KeptAudit final : public ca::AuditLog {
 public:
  void append(const ca::AuditEvent& event) override {
    rows += event.what + " " + event.outcome + " " + event.detail + "\n";
  }
  void append(const std::vector<ca::AuditEvent>& events) override {
    for (const ca::AuditEvent& event : events) {
      append(event);
    }
  }
  std::string rows{};
};

class Audited : public testing::Test {
 protected:
  template <typename Order>
  int audit(Order order) {
    return audited(log_, clock_, {.what = "order"}, order, [](int result) {
      return result == 0 ? Outcome() : Outcome{.id = "failed", .detail = "n=1"};
    });
  }
  KeptAudit log_;
  SystemClock clock_;
};

TEST_F(Audited, HasWhatBecameOfIt) {
  EXPECT_EQ(audit([] { return 0; }), 0);
  EXPECT_EQ(log_.rows, "order begun \norder ok \n");
  log_.rows.clear();
  EXPECT_EQ(audit([] { return 1; }), 1);
  EXPECT_EQ(log_.rows, "order begun \norder failed n=1\n");
}

TEST_F(Audited, HasTheIdOfARefusal) {
  const auto refuse = [](ErrorCode code) -> int { throw Error(code, "some.id", "no"); };
  EXPECT_THROW(audit([&] { return refuse(ErrorCode::token); }), Error);
  EXPECT_EQ(log_.rows, "order begun \norder some.id \n");
  log_.rows.clear();
  EXPECT_THROW(audit([&] { return refuse(ErrorCode::store); }), Error);
  EXPECT_EQ(log_.rows, "order begun \n") << "it takes nothing now";
}

/// Found in review: where no thread could be made, the trail had `begun` and no more.
TEST_F(Audited, HasTheEndOfWhatIsNoRefusal) {
  const auto no_thread = []() -> int {
    throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again));
  };
  EXPECT_THROW(audit(no_thread), std::system_error);
  EXPECT_EQ(log_.rows, "order begun \norder internal \n");
}

}  // namespace
}  // namespace estia::app
