// SPDX-License-Identifier: Apache-2.0
#include "tests/fault/support/load_log.h"

#include <openssl/cms.h>

#include <algorithm>
#include <iterator>
#include <stdexcept>

#include "crypto/base/bytes.h"
#include "crypto/openssl/library.h"
#include "crypto/openssl/owned.h"
#include "crypto/openssl/require.h"

namespace estia::fault {
namespace {

constexpr std::chrono::seconds kLimit{30};

}  // namespace

crypto::Certificate Delivered::certificate() const {
  using CmsPtr = crypto::Owned<CMS_ContentInfo, CMS_ContentInfo_free>;
  const Bytes der = base64_decode(body);
  CMS_ContentInfo* empty =
      crypto::require(::CMS_ContentInfo_new_ex(crypto::library(), nullptr), "CMS_ContentInfo_new");
  const unsigned char* input = der.data();
  const CmsPtr message(crypto::require(
      ::d2i_CMS_ContentInfo(&empty, &input, static_cast<long>(der.size())), "d2i_CMS_ContentInfo"));
  const crypto::X509StackPtr found(::CMS_get1_certs(message.get()));
  if (!found || sk_X509_num(found.get()) != 1) {
    throw std::runtime_error(name + ": not exactly one certificate");
  }
  return crypto::Certificate::from_openssl(sk_X509_value(found.get(), 0));
}

void LoadLog::sending(const std::string& name) {
  const std::lock_guard lock(mutex_);
  sent_.insert(name);
  ++in_flight_;
}

void LoadLog::answered(const std::string& name, int life, const test::HttpAnswer& answer) {
  const auto now = std::chrono::steady_clock::now();
  const std::lock_guard lock(mutex_);
  --in_flight_;
  if (answer.status == 200) {
    delivered_.push_back({.name = name, .life = life, .at = now, .body = answer.body});
    ++delivered_in_life_[life];
  } else {
    const auto field = answer.fields.find("Retry-After");
    refused_.push_back({.name = name,
                        .status = answer.status,
                        .retry_after = field == answer.fields.end() ? "" : field->second});
  }
  changed_.notify_all();
}

void LoadLog::lost(const std::string&) {
  const std::lock_guard lock(mutex_);
  --in_flight_;
  ++lost_;
}

void LoadLog::wait_delivered(int life, std::size_t count) {
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, kLimit, [&] { return delivered_in_life_[life] >= count; })) {
    throw std::runtime_error("only " + std::to_string(delivered_in_life_[life]) + " of " +
                             std::to_string(count) + " certificates came in life " +
                             std::to_string(life));
  }
}

bool LoadLog::wait_refused(std::size_t count, std::chrono::seconds limit) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, limit, [&] { return refused_.size() >= count; });
}

std::size_t LoadLog::in_flight() const {
  const std::lock_guard lock(mutex_);
  return in_flight_;
}

std::vector<Delivered> LoadLog::delivered() const {
  const std::lock_guard lock(mutex_);
  return delivered_;
}

std::vector<Delivered> LoadLog::delivered_since(int life) const {
  const std::lock_guard lock(mutex_);
  std::vector<Delivered> found;
  std::copy_if(delivered_.begin(), delivered_.end(), std::back_inserter(found),
               [&](const Delivered& one) { return one.life >= life; });
  return found;
}

std::vector<Refused> LoadLog::refused() const {
  const std::lock_guard lock(mutex_);
  return refused_;
}

std::set<std::string> LoadLog::sent() const {
  const std::lock_guard lock(mutex_);
  return sent_;
}

std::size_t LoadLog::lost_connections() const {
  const std::lock_guard lock(mutex_);
  return lost_;
}

}  // namespace estia::fault
