// SPDX-License-Identifier: Apache-2.0
#include "tests/fault/support/store_view.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "crypto/base/bytes.h"
#include "crypto/base/file.h"

namespace estia::fault {
namespace {

constexpr std::string_view kCommonName = "CN=";

crypto::PublicKey issuing_key(const e2e::Installation& installation) {
  // `estia init` writes the root first, then the issuing CA.
  return crypto::Certificate::parse_pem(read_file(installation.ca_bundle())).at(1).public_key();
}

std::string hex_of_serial(const crypto::Certificate& certificate) {
  return to_hex(certificate.serial());
}

}  // namespace

StoreView::StoreView(const e2e::Installation& installation) : issuer_(issuing_key(installation)) {
  std::istringstream lines(
      installation.query("SELECT lower(hex(serial)), state, subject_text FROM certificate WHERE "
                         "operation = 'simpleenroll'"));
  for (Row row; std::getline(lines, row.serial, '|') && std::getline(lines, row.state, '|') &&
                std::getline(lines, row.name);) {
    row.name.erase(0, kCommonName.size());
    rows_.push_back(row);
  }
  store_ = store::Store::open(installation.state() / "estia.db", clock_);
  EXPECT_GT(store_->verify_audit_chain(), rows_.size());
}

void StoreView::expect_all_delivered_recorded(const std::vector<Delivered>& delivered) const {
  std::map<std::string, std::string> name_of;  // by serial
  for (const Delivered& one : delivered) {
    const crypto::Certificate certificate = one.certificate();
    const std::string serial = hex_of_serial(certificate);
    EXPECT_TRUE(name_of.emplace(serial, one.name).second) << "serial twice: " << serial;
    EXPECT_EQ(certificate.subject().text(), std::string(kCommonName) + one.name);
    const auto record = store_->registry().find(certificate.serial());
    ASSERT_TRUE(record) << one.name << " was delivered and is not in the store";
    EXPECT_EQ(record->state, ca::CertificateState::issued) << one.name;
    EXPECT_EQ(record->certificate, certificate.der()) << one.name;
  }
  for (const Row& row : rows_) {
    if (row.state == "issued") {
      const auto record = store_->registry().find(from_hex(row.serial));
      ASSERT_TRUE(record) << row.name;
      EXPECT_TRUE(crypto::Certificate::parse(record->certificate).signed_by(issuer_)) << row.name;
    }
  }
}

void StoreView::expect_one_certificate_per_name() const {
  std::set<std::string> seen;
  for (const Row& row : rows_) {
    if (row.state != "failed") {
      EXPECT_TRUE(seen.insert(row.name).second) << row.name << " has two certificates";
    }
  }
}

void StoreView::expect_everything_explained(const LoadLog& log) const {
  std::set<std::string> listed;
  for (const ca::CertificateRecord& record : store_->registry().open_intents()) {
    listed.insert(to_hex(record.serial));
  }
  std::set<std::string> answered;
  for (const Delivered& one : log.delivered()) {
    answered.insert(one.name);
  }
  const std::set<std::string> sent = log.sent();
  for (const Row& row : rows_) {
    EXPECT_TRUE(sent.contains(row.name)) << row.name << " was never asked for";
    EXPECT_EQ(row.state == "intended", listed.contains(row.serial)) << row.name;
    if (row.state == "intended") {
      EXPECT_FALSE(answered.contains(row.name)) << row.name;
    }
  }
  EXPECT_EQ(listed.size(), count("intended"));
}

std::size_t StoreView::count(const std::string& state) const {
  return static_cast<std::size_t>(std::count_if(
      rows_.begin(), rows_.end(), [&](const Row& row) { return row.state == state; }));
}

std::set<std::string> StoreView::names(const std::string& state) const {
  std::set<std::string> found;
  for (const Row& row : rows_) {
    if (row.state == state) {
      found.insert(row.name);
    }
  }
  return found;
}

}  // namespace estia::fault
