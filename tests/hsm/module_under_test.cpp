// SPDX-License-Identifier: Apache-2.0
#include "tests/hsm/module_under_test.h"

#include <cstdlib>
#include <optional>
#include <sstream>
#include <stdexcept>

#include "hsm/faults/client.h"
#include "tests/support/scratch_directory.h"
#include "tests/support/softokn_database.h"
#include "tests/support/token_fixture.h"

namespace estia::hsm {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

class SoftHsm final : public ModuleUnderTest {
 public:
  SoftHsm() {
    directory_.use();
    shim_ = std::make_unique<test::Shim>(directory_.module);
    config_ = directory_.config();
    config_.module = test::Shim::path();
  }

 private:
  const test::TokenDir directory_ = test::make_token("estia-conformance");
};

/// NSS's own token, in a database of its own.
class Softokn final : public ModuleUnderTest {
 public:
  Softokn() {
    shim_ = std::make_unique<test::Shim>(ESTIA_SOFTOKN);
    database_ = std::make_unique<test::SoftoknDatabase>(test::Shim::path());
    config_ = database_->config();
  }

 private:
  std::unique_ptr<test::SoftoknDatabase> database_;
};

/// Whatever the environment names: its token is used as it is.
class Vendor final : public ModuleUnderTest {
 public:
  Vendor() {
    config_.module = environment("ESTIA_HSM_MODULE");
    config_.init_args = environment("ESTIA_HSM_INIT_ARGS");
    config_.label = environment("ESTIA_HSM_TOKEN");
    config_.serial = environment("ESTIA_HSM_SERIAL");
    config_.pin.file = environment("ESTIA_HSM_PIN_FILE");
    // Kept between the processes of one run: a PIN that was refused is not tried by the next one.
    config_.pin_marker = environment("ESTIA_HSM_PIN_MARKER");
    if (config_.label.empty() || config_.pin.file.empty() || config_.pin_marker.empty()) {
      throw std::runtime_error(
          "ESTIA_HSM_MODULE needs ESTIA_HSM_TOKEN, ESTIA_HSM_PIN_FILE and ESTIA_HSM_PIN_MARKER");
    }
    if (plays_faults() && environment("ESTIA_FAULTS_SOCKET").empty()) {
      folder_.emplace();
      const std::filesystem::path socket = folder_->path() / "faults.sock";
      if (::setenv("ESTIA_FAULTS_SOCKET", socket.c_str(), 1) != 0) {
        throw std::runtime_error("setenv failed");
      }
    }
  }

  /// docs/fault-injection.md.
  [[nodiscard]] bool plays_faults() const override {
    return config().module.filename() == "estia-p11-faults.so";
  }
  void fail(const char* function, CK_RV rv) const override {
    std::ostringstream order;
    order << "fail " << function << " 0x" << std::hex << rv;
    const faults::Answer answer =
        faults::Client(environment("ESTIA_FAULTS_SOCKET")).ask(order.str());
    if (!answer.ok) {
      throw std::runtime_error("estia-p11-faults: " + answer.text);
    }
  }

 private:
  std::optional<test::ScratchDirectory> folder_{};
};

}  // namespace

void ModuleUnderTest::fail(const char* function, CK_RV rv) const {
  if (!shim_) {
    throw std::runtime_error("no faults can be played here");
  }
  shim_->fail(function, rv);
}

std::vector<std::string> ModuleUnderTest::names() {
  if (!environment("ESTIA_HSM_MODULE").empty()) {
    return {"vendor"};
  }
  return {"softhsm", "softokn"};
}

Capabilities ModuleUnderTest::capabilities_of(const std::string& name) {
  if (name == "softhsm") {
    return Capabilities::parse(
        "+close-sessions +wrong-pin +sealing "
        "-serverkeygen-Ed25519=SoftHSM_2.6.1_wraps_no_Edwards_keys");
  }
  if (name == "softokn") {
    return Capabilities::parse(
        "+close-sessions +wrong-pin +sealing "
        "-ca-keys=NSS_3.87_denies_that_it_made_the_keys_that_it_makes_(CKA_LOCAL) "
        "-Ed25519=NSS_3.87_has_no_Edwards_curves "
        "-serverkeygen-Ed25519=NSS_3.87_has_no_Edwards_curves");
  }
  return Capabilities::parse(environment("ESTIA_HSM_CAPABILITIES"));
}

std::unique_ptr<ModuleUnderTest> ModuleUnderTest::make(const std::string& name) {
  std::unique_ptr<ModuleUnderTest> made;
  if (name == "softhsm") {
    made = std::make_unique<SoftHsm>();
  } else if (name == "softokn") {
    made = std::make_unique<Softokn>();
  } else {
    made = std::make_unique<Vendor>();
  }
  made->capabilities_ = capabilities_of(name);
  return made;
}

}  // namespace estia::hsm
