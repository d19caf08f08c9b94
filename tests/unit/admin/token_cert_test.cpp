// SPDX-License-Identifier: Apache-2.0
// `estia token cert` on a real SoftHSM with the keys of a CA in it.
#include <gtest/gtest.h>

#include "crypto/base/file.h"
#include "crypto/x509/certificate.h"
#include "server/provision/state_layout.h"
#include "tests/unit/admin/workplace.h"

namespace estia::test {
namespace {

using e2e::Finished;

class TokenCert : public testing::Test {
 protected:
  TokenCert() {
    place_.make_ca();
    bundle_ = crypto::Certificate::parse_pem(read_file(place_.state() / "ca-bundle.pem"));
    server_ = crypto::Certificate::parse_pem(read_file(place_.state() / "tls/server.pem")).front();
    write_new_file(place_.path("server.pem"), server_->to_pem(), FileMode::readable);
    write_new_file(place_.path("issuing.pem"), bundle_.at(1).to_pem(), FileMode::readable);
  }
  [[nodiscard]] Finished store(const std::string& file, std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments{
        "token", "cert", "store", "--file", file, "--state", place_.state().string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return place_.estia(arguments);
  }
  [[nodiscard]] Finished store(const std::filesystem::path& file,
                               std::vector<std::string> more = {}) const {
    return store(file.string(), std::move(more));
  }
  [[nodiscard]] std::string listed(std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments{"token",         "cert",    "list",           "--module",
                                       place_.module(), "--token", Workplace::kLabel};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Finished finished = place_.estia(arguments);
    EXPECT_EQ(finished.code, 0) << finished.err;
    return finished.out;
  }
  void expect_refused(const Finished& finished, const std::string& id) const {
    EXPECT_EQ(finished.code, 1) << finished.out << finished.err;
    EXPECT_NE(finished.err.find("[" + id + "]"), std::string::npos) << finished.err;
    EXPECT_EQ(finished.err.find(Workplace::kPin), std::string::npos);
    EXPECT_EQ(finished.out, "");
  }
  /// "ID:  .." of the object of that kind and label, as OpenSC's tool shows it.
  [[nodiscard]] std::string id_of(const std::string& kind, const std::string& label) const {
    const std::string seen =
        place_.tool({"pkcs11-tool", "--module", place_.module(), "--token-label", Workplace::kLabel,
                     "--login", "--pin", Workplace::kPin, "-O", "--type", kind});
    const std::size_t at = seen.find("label:      " + label + "\n");
    EXPECT_NE(at, std::string::npos) << seen;
    const std::size_t id = seen.find("ID:", at) + 3;
    const std::size_t begin = seen.find_first_not_of(' ', id);
    return seen.substr(begin, seen.find('\n', begin) - begin);
  }

  const Workplace place_;
  std::vector<crypto::Certificate> bundle_;
  std::optional<crypto::Certificate> server_;
};

TEST_F(TokenCert, EachOfAChainGetsTheNameOfItsKey) {
  const Finished stored = store(place_.state() / "ca-bundle.pem");
  ASSERT_EQ(stored.code, 0) << stored.err;
  EXPECT_NE(stored.out.find("key=in the token"), std::string::npos) << stored.out;
  const std::string list = listed();
  for (const crypto::Certificate& certificate : bundle_) {
    const std::size_t at = list.find("serial=" + to_hex(certificate.serial()));
    ASSERT_NE(at, std::string::npos) << list;
    const std::size_t line = list.rfind('\n', at) + 1;  // npos + 1 is 0
    const std::string label =
        list.substr(list.find("label=", line) + 6,
                    list.find('\t', list.find("label=", line)) - list.find("label=", line) - 6);
    const std::string id = list.substr(line + 3, list.find('\t', line) - line - 3);
    EXPECT_EQ(id, id_of("privkey", label));
    EXPECT_EQ(id, id_of("cert", label));
    EXPECT_NE(list.find(certificate.subject().text(), line), std::string::npos) << list;
    EXPECT_NE(list.find(utc_text(certificate.not_after()), line), std::string::npos) << list;
  }
  EXPECT_EQ(listed({"--pin-file", place_.path("pin").string()}), list) << "seen by everybody";
}

TEST_F(TokenCert, OneWhoseKeyIsElsewhereGetsItsKeyIdentifier) {
  ASSERT_EQ(store(place_.path("server.pem")).code, 0);
  const std::string list = listed();
  EXPECT_NE(list.find("id=" + to_hex(server_->subject_key_identifier())), std::string::npos)
      << list;
  EXPECT_NE(list.find("key=elsewhere"), std::string::npos) << list;
}

TEST_F(TokenCert, IdAndLabelCanBeGivenForOne) {
  ASSERT_EQ(store(place_.path("server.pem"), {"--id", "0aFF", "--label", "front door"}).code, 0);
  EXPECT_NE(listed().find("id=0aff\tlabel=front door\t"), std::string::npos) << listed();
  const std::string json = listed({"--json"});
  EXPECT_NE(json.find("\"id\": \"0aff\""), std::string::npos) << json;
  EXPECT_NE(json.find("\"key_in_token\": false"), std::string::npos) << json;
  EXPECT_NE(json.find(to_hex(server_->fingerprint_sha256())), std::string::npos) << json;
}

TEST_F(TokenCert, DuplicatesAreRefusedAndNothingOfTheFileIsStored) {
  ASSERT_EQ(store(place_.path("issuing.pem")).code, 0);
  const std::string before = listed();
  expect_refused(store(place_.path("issuing.pem")), "token.cert_exists");
  expect_refused(store(place_.state() / "ca-bundle.pem"), "token.cert_exists");
  write_new_file(place_.path("twice.pem"), server_->to_pem() + server_->to_pem(),
                 FileMode::readable);
  expect_refused(store(place_.path("twice.pem")), "token.cert_exists");
  EXPECT_EQ(listed(), before);
}

TEST_F(TokenCert, AnotherIdThanThatOfItsKeyIsRefused) {
  expect_refused(store(place_.path("issuing.pem"), {"--id", "0a0b"}), "token.cert_id");
  EXPECT_EQ(listed(), "");
}

TEST_F(TokenCert, MisuseTriesNothing) {
  EXPECT_EQ(store(place_.path("issuing.pem"), {"--id", "xyz"}).code, 2);
  EXPECT_EQ(store(place_.state() / "ca-bundle.pem", {"--label", "two"}).code, 2);
  EXPECT_EQ(store(place_.path("nowhere.pem")).code, 2);
  expect_refused(store(place_.path("pin")), "certificate.pem");
  EXPECT_EQ(listed(), "");
}

TEST_F(TokenCert, AWrongOrRefusedPinStoresNothing) {
  write_new_file(place_.path("wrong"), "wrong-pin\n", FileMode::secret);
  expect_refused(store(place_.path("issuing.pem"), {"--pin-file", place_.path("wrong").string()}),
                 "token.pin_incorrect");
  replace_file(place_.path("pin"), "wrong-pin\n", FileMode::secret);
  expect_refused(store(place_.path("issuing.pem")), "token.pin_incorrect");
  expect_refused(store(place_.path("issuing.pem")), "token.pin_refused");
  EXPECT_EQ(listed(), "");
}

TEST_F(TokenCert, ALockedStateIsRefused) {
  const provision::StateLock held{provision::StateLayout(place_.state())};
  expect_refused(store(place_.path("issuing.pem")), "state.locked");
  EXPECT_EQ(listed(), "");
}

TEST_F(TokenCert, TheAuditTrailNamesEach) {
  ASSERT_EQ(store(place_.state() / "ca-bundle.pem").code, 0);
  const std::string rows =
      place_.tool({"sqlite3", (place_.state() / "estia.db").string(),
                   "SELECT detail FROM audit WHERE what = 'token.cert_stored'"});
  for (const crypto::Certificate& certificate : bundle_) {
    EXPECT_NE(rows.find("serial=" + to_hex(certificate.serial())), std::string::npos) << rows;
  }
}

/// Found in review: the trail said `ok` before anything was stored.
TEST_F(TokenCert, TheAuditTrailHasTheOutcome) {
  const auto rows = [&](const std::string& outcome) {
    const crypto::Certificate& issuing = bundle_.at(1);
    const std::string detail = "|token/main|serial=" + to_hex(issuing.serial()) +
                               " sha256=" + to_hex(issuing.fingerprint_sha256()) + "\n";
    return "token.cert_stored|begun" + detail + "token.cert_stored|" + outcome + detail;
  };
  ASSERT_EQ(store(place_.path("issuing.pem")).code, 0);
  expect_refused(store(place_.path("issuing.pem")), "token.cert_exists");
  EXPECT_EQ(place_.audited_orders(), rows("ok") + rows("token.cert_exists"));
}

/// The same key under two ids: which one is meant has to be said.
TEST_F(TokenCert, AKeyThatIsThereTwiceNeedsAnId) {
  write_new_file(place_.path("key.der"), std::string(as_text(bundle_.at(1).public_key().spki())),
                 FileMode::readable);
  for (const char* id : {"aa01", "aa02"}) {
    place_.tool({"pkcs11-tool", "--module", place_.module(), "--token-label", Workplace::kLabel,
                 "--login", "--pin", Workplace::kPin, "--write-object",
                 place_.path("key.der").string(), "--type", "pubkey", "--id", id, "--label",
                 "copy"});
  }
  expect_refused(store(place_.path("issuing.pem")), "token.cert_key_ambiguous");
  ASSERT_EQ(store(place_.path("issuing.pem"), {"--id", "aa02"}).code, 0);
  EXPECT_NE(listed().find("id=aa02\tlabel=copy\t"), std::string::npos) << listed();
}

}  // namespace
}  // namespace estia::test
