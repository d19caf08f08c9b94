// SPDX-License-Identifier: Apache-2.0
#include "server/app/tls_reload.h"

#include <utility>

#include "crypto/base/error.h"
#include "server/app/tls_identity.h"
#include "server/ops/log.h"

namespace estia::app {

crypto::Certificate TlsReload::reload(const std::string& who) {
  const std::lock_guard one_at_a_time(reloading_);
  try {
    http::TlsIdentity identity = load_tls_identity(files_, token_keys_, clock_.now());
    auto prepared = server_.prepare(identity);
    const crypto::Certificate leaf = identity.chain.front();
    const std::string fingerprint = to_hex(leaf.fingerprint_sha256());
    audit(who, "ok", "sha256=" + fingerprint);
    server_.adopt(std::move(prepared));
    {
      const std::lock_guard lock(mutex_);
      shown_ = leaf;
    }
    delivery_.replace_signer({std::move(identity.key), leaf});
    ops::log(ops::Level::info, "tls.reloaded",
             {{"who", who}, {"sha256", fingerprint}, {"not_after", utc_text(leaf.not_after())}});
    return leaf;
  } catch (const Error& error) {
    ops::log(
        ops::Level::error, "tls.reload_failed",
        {{"who", who}, {"id", error.id()}, {"reason", error.what()}, {"detail", error.detail()}});
    if (error.code() != ErrorCode::store) {
      audit(who, error.id(), "");
    }
    throw;
  }
}

crypto::Certificate TlsReload::certificate() const {
  const std::lock_guard lock(mutex_);
  return shown_;
}

void TlsReload::audit(const std::string& who, const std::string& outcome,
                      const std::string& detail) {
  audit_.append({.at = clock_.now(),
                 .who = who,
                 .what = "tls.reload",
                 .outcome = outcome,
                 .object = files_.certificate.filename().string(),
                 .detail = detail});
}

}  // namespace estia::app
