// SPDX-License-Identifier: Apache-2.0
#include "tests/hsm/suite.h"

#include <signal.h>

#include <cstdlib>

#include "crypto/base/random.h"
#include "crypto/base/secure_bytes.h"
#include "hsm/ckr.h"
#include "hsm/key_templates.h"
#include "hsm/token_core.h"
#include "hsm/with_session.h"

namespace estia::hsm {
namespace {

constexpr std::size_t kSecureHeap = std::size_t{1} << 20U;
constexpr std::size_t kMostObjects = 8;

}  // namespace

const std::string& label_prefix() {
  static const std::string prefix = [] {
    const char* run = std::getenv("ESTIA_HSM_RUN");
    return "estia-conformance-" + (run == nullptr ? random_text(48) : std::string(run));
  }();
  return prefix;
}

std::string name_of(const ::testing::TestParamInfo<Cell>& cell) {
  return std::get<std::string>(cell.param) +
         (std::get<Signing>(cell.param) == Signing::native ? "_native" : "_pkcs11_provider");
}

Suite::Suite() : module_(ModuleUnderTest::make(std::get<std::string>(GetParam()))) {
  ::signal(SIGPIPE, SIG_IGN);  // as the daemon does
}

void Suite::SetUp() {
  open_secure_heap(kSecureHeap);
#ifdef ESTIA_WITHOUT_PKCS11_PROVIDER
  if (!native()) {
    EXPECT_EQ(test::refusal([&] { static_cast<void>(Token::open(config())); }),
              "config token.signing_unavailable");
    skip("pkcs11-provider loads modules in a way that sanitizers abort at");
  }
#endif
}

void Suite::TearDown() {
  if (!HasFailure()) {
    EXPECT_EQ(IsSkipped(), stated_) << "a cell is skipped by need() or skip() only";
  }
  token_.reset();
  if (labels_.empty()) {
    return;
  }
  raw(module_->config(), [&](Attachment& attached, CK_SESSION_HANDLE session) {
    const Objects objects(attached.module(), session);
    for (const std::string& label : labels_) {
      Template wanted;
      wanted.flag(CKA_TOKEN, true).text(CKA_LABEL, label);
      for (const CK_OBJECT_HANDLE object : objects.find(wanted, kMostObjects)) {
        objects.destroy(object);
      }
      EXPECT_TRUE(objects.find(wanted, 1).empty()) << label << " is left in the token";
    }
  });
}

TokenConfig Suite::config() const {
  TokenConfig config = module_->config();
  config.signing = std::get<Signing>(GetParam());
  return config;
}

Token& Suite::token() {
  if (!token_) {
    token_ = told([&] { return Token::open(config()); });
  }
  return *token_;
}

bool Suite::can(std::string_view capability) const {
  return !module_->capabilities().lacks(capability);
}

void Suite::need(std::string_view capability, const std::function<void()>& body) {
  const auto lacks = module_->capabilities().lacks(capability);
  if (!lacks) {
    return body();
  }
  if (!Capability::named(capability).usual) {
    return skip(*lacks);
  }
  const std::string refused = test::refusal(body);
  EXPECT_NE(refused, "none") << capability << " works: the module is said to lack it";
  skip(*lacks + " (" + refused + ")");
}

void Suite::skip(const std::string& reason) {
  stated_ = !reason.empty();
  GTEST_SKIP() << reason;
}

std::string Suite::label(const std::string& what) {
  labels_.push_back(label_prefix() + "-" + what);
  return labels_.back();
}

bool Suite::has_object(const std::string& object_label) const {
  bool found = false;
  raw([&](Attachment& attached, CK_SESSION_HANDLE session) {
    Template wanted;
    wanted.flag(CKA_TOKEN, true).text(CKA_LABEL, object_label);
    found = !Objects(attached.module(), session).find(wanted, 1).empty();
  });
  return found;
}

crypto::PrivateKey Suite::make(const std::string& kind, const std::string& object_label) {
  return told([&] {
    if (can("ca-keys")) {
      return token().generate(crypto::KeySpec::parse(kind), object_label);
    }
    Bytes id(16);
    random_fill(id);
    make_pair(kind, object_label, id, false);
    return token().key(uri(object_label));
  });
}

void Suite::make_pair(const std::string& kind, const std::string& object_label, const Bytes& id,
                      bool extractable) const {
  raw([&](Attachment& attached, CK_SESSION_HANDLE session) {
    const crypto::KeySpec spec = crypto::KeySpec::parse(kind);
    Template public_half;
    public_half.flag(CKA_TOKEN, true).text(CKA_LABEL, object_label).bytes(CKA_ID, id);
    add_kind(public_half, spec);
    Template private_half;
    private_half.flag(CKA_TOKEN, true).flag(CKA_PRIVATE, true).flag(CKA_SENSITIVE, true);
    private_half.flag(CKA_EXTRACTABLE, extractable).flag(CKA_SIGN, true);
    private_half.text(CKA_LABEL, object_label).bytes(CKA_ID, id);
    CK_MECHANISM mechanism{generation_mechanism(spec), nullptr, 0};
    CK_OBJECT_HANDLE one = CK_INVALID_HANDLE;
    CK_OBJECT_HANDLE other = CK_INVALID_HANDLE;
    check(attached.module()->C_GenerateKeyPair(session, &mechanism, public_half.data(),
                                               public_half.size(), private_half.data(),
                                               private_half.size(), &one, &other),
          "C_GenerateKeyPair");
  });
}

KeyUri Suite::uri(const std::string& object) const {
  return KeyUri::for_object(module_->config().label, object, {});
}

void Suite::raw(const TokenConfig& config,
                const std::function<void(Attachment&, CK_SESSION_HANDLE)>& use) {
  const TokenCore core(config);
  const auto attached = core.attachment();
  with_session(*attached, SessionKind::read_write,
               [&](CK_SESSION_HANDLE session) { use(*attached, session); });
}

bool Suite::signs(const crypto::PrivateKey& key) {
  const Bytes message = {1, 2, 3};
  const auto& algorithm = crypto::SignatureAlgorithm::for_key(key.public_key());
  return key.public_key().verify(message, told([&] { return key.sign(message); }), algorithm);
}

}  // namespace estia::hsm
