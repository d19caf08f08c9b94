// SPDX-License-Identifier: Apache-2.0
#include "server/est/channel_binding.h"

#include <gtest/gtest.h>

#include "crypto/base/error.h"
#include "tests/unit/est/est_fixture.h"

namespace estia::est {
namespace {

using Policy = ca::ChannelBindingPolicy;

const Bytes kTlsUnique{0xFA, 0xBA, 0xC2, 0x8A, 0xBF, 0xFB, 0xF8, 0x46, 0x2E, 0xE7, 0x44, 0xF8};
const std::string kRightValue = base64_encode(kTlsUnique);

http::PeerInfo tls12(std::optional<Bytes> binding = kTlsUnique) {
  http::PeerInfo peer;
  peer.tls_version = "TLSv1.2";
  peer.channel_binding = std::move(binding);
  return peer;
}

http::PeerInfo tls13() {
  http::PeerInfo peer;
  peer.tls_version = "TLSv1.3";
  peer.channel_binding = Bytes(32, 0x5A);
  return peer;
}

crypto::Csr csr(const std::vector<Bytes>& attributes) {
  return crypto::Csr::parse(csr_with(attributes));
}

std::string outcome(Policy policy, const crypto::Csr& request, const http::PeerInfo& peer) {
  try {
    return check_linking(policy, Challenge::binding, request, peer) == Linking::verified
               ? "verified"
               : "absent";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::forbidden);
    EXPECT_NE(std::string(error.what()).find("linking"), std::string::npos) << error.what();
    return error.id();
  }
}

TEST(ChannelBinding, TheRightValueInEitherAttributeIsVerified_EST_3_5_a) {
  for (const char* oid : {kChallengePassword, kIdentityLinking}) {
    const auto request = csr({text_attribute(oid, kRightValue)});
    EXPECT_EQ(outcome(Policy::verify_if_present, request, tls12()), "verified");
    EXPECT_EQ(outcome(Policy::required, request, tls12()), "verified");
  }
}

TEST(ChannelBinding, AnEncodersNewlineIsNoPartOfTheValue_EST_3_5_e) {
  const Bytes attribute = der::sequence(
      {der::oid(kChallengePassword), der::set_of({der::tlv(0x0C, as_bytes(kRightValue + "\n"))})});
  EXPECT_EQ(outcome(Policy::required, csr({attribute}), tls12()), "verified");
}

TEST(ChannelBinding, AWrongValueIsRefusedEvenWhereNoneIsRequired_EST_3_5_d) {
  std::string changed = kRightValue;
  changed[0] = changed[0] == 'A' ? 'B' : 'A';
  for (const std::string& value :
       {changed, std::string("secret"), std::string("foo123"), kRightValue.substr(0, 12),
        kRightValue + "AAAA", base64_encode(Bytes(12)), base64_encode(Bytes(48))}) {
    for (const char* oid : {kChallengePassword, kIdentityLinking}) {
      const auto request = csr({text_attribute(oid, value)});
      EXPECT_EQ(outcome(Policy::verify_if_present, request, tls12()), "linking.mismatch") << value;
      EXPECT_EQ(outcome(Policy::off, request, tls12()), "absent");
    }
  }
}

TEST(ChannelBinding, OfTwoValuesBothMustHold_CHAL_4_b) {
  const Bytes good_challenge = text_attribute(kChallengePassword, kRightValue);
  const Bytes good_linking = text_attribute(kIdentityLinking, kRightValue);
  const Bytes bad_challenge = text_attribute(kChallengePassword, base64_encode(Bytes(12)));
  const Bytes bad_linking = text_attribute(kIdentityLinking, base64_encode(Bytes(12)));
  const auto judge = [](const Bytes& a, const Bytes& b) {
    return outcome(Policy::verify_if_present, csr({a, b}), tls12());
  };
  EXPECT_EQ(judge(good_challenge, good_linking), "verified");
  EXPECT_EQ(judge(good_challenge, bad_linking), "linking.mismatch");
  EXPECT_EQ(judge(bad_challenge, good_linking), "linking.mismatch");
}

TEST(ChannelBinding, RequiredMeansThatNoneIsRefused_EST_3_5_b) {
  EXPECT_EQ(outcome(Policy::required, csr({}), tls12()), "linking.required");
  EXPECT_EQ(outcome(Policy::verify_if_present, csr({}), tls12()), "absent");
}

TEST(ChannelBinding, WithoutABindingNothingCanBeVerified_TLSX_5929_d) {
  const auto request = csr({text_attribute(kChallengePassword, kRightValue)});
  EXPECT_EQ(outcome(Policy::verify_if_present, request, tls12(std::nullopt)),
            "linking.unavailable");
  EXPECT_EQ(outcome(Policy::verify_if_present, request, tls12(Bytes{})), "linking.unavailable");
  EXPECT_EQ(outcome(Policy::verify_if_present, csr({}), tls12(std::nullopt)), "absent");
}

TEST(ChannelBinding, ATls13BindingIsSpentByTheFirstCheckedValue_TLSX_9266_d) {
  const auto linked = csr({text_attribute(kChallengePassword, base64_encode(Bytes(32, 0x5A)))});
  EXPECT_EQ(outcome(Policy::verify_if_present, linked, tls13()), "verified");
  EXPECT_TRUE(spends_binding(Policy::verify_if_present, Challenge::binding, linked, tls13()));
  EXPECT_FALSE(spends_binding(Policy::verify_if_present, Challenge::binding, linked, tls12()));
  EXPECT_FALSE(spends_binding(Policy::verify_if_present, Challenge::binding, csr({}), tls13()));
  EXPECT_FALSE(spends_binding(Policy::off, Challenge::binding, linked, tls13()));
}

TEST(ChannelBinding, AnEnrolmentCodeInChallengePasswordIsNoLinking) {
  const crypto::Csr code = csr({text_attribute(kChallengePassword, "an enrolment code")});
  EXPECT_EQ(check_linking(Policy::verify_if_present, Challenge::code, code, tls13()),
            Linking::absent);
  EXPECT_FALSE(spends_binding(Policy::verify_if_present, Challenge::code, code, tls13()));
  EXPECT_EQ(outcome(Policy::verify_if_present, code, tls13()), "linking.mismatch");
  EXPECT_THROW(static_cast<void>(check_linking(Policy::required, Challenge::code, code, tls13())),
               Error);
  // The other attribute means what it always means.
  const crypto::Csr both = csr({text_attribute(kChallengePassword, "an enrolment code"),
                                text_attribute(kIdentityLinking, "AAAA")});
  EXPECT_THROW(
      static_cast<void>(check_linking(Policy::verify_if_present, Challenge::code, both, tls13())),
      Error);
}

}  // namespace
}  // namespace estia::est
