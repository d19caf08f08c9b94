// SPDX-License-Identifier: Apache-2.0
#include "server/app/configuration_changes.h"

#include "server/ops/log.h"

namespace estia::app {

provision::ApplyReport ConfigurationChanges::apply(const provision::ApplyRequest& request) {
  const std::lock_guard lock(mutex_);
  TokenCaKeys::Found found;
  provision::ApplyReport report =
      provision::apply(request, store_, clock_,
                       {.prepare =
                            [&](const ca::Snapshot& next) {
                              check_server_keys(next, *snapshots_.current(), server_keys_);
                              found = keys_.find(next);
                            },
                        .publish =
                            [&](std::shared_ptr<const ca::Snapshot> next) {
                              keys_.adopt(std::move(found));
                              snapshots_.publish(std::move(next));
                            }});
  ops::log(ops::Level::info, "configuration.applied",
           {{"who", request.who},
            {"configuration", std::to_string(report.version)},
            {"changed", report.anything() ? "yes" : "no"}});
  return report;
}

void ConfigurationChanges::check_keys(const ca::Snapshot& wanted) {
  const std::lock_guard lock(mutex_);  // the token may be about to get a key: see hsm::SealingKey
  check_server_keys(wanted, *snapshots_.current(), server_keys_);
  static_cast<void>(keys_.find(wanted));
}

void ConfigurationChanges::let_go_of_keys() noexcept {
  const std::unique_lock lock(mutex_, std::try_to_lock);  // a change may wait for a token
  if (lock.owns_lock() && !snapshots_.earlier_in_use()) {
    keys_.keep_only(*snapshots_.current());
  }
}

crypto::Crl ConfigurationChanges::take_crl(const provision::CrlRequest& request) {
  const std::lock_guard lock(mutex_);
  crypto::Crl crl =
      provision::take_crl(request, store_, clock_,
                          {.prepare = {}, .publish = [&](std::shared_ptr<const ca::Snapshot> next) {
                             snapshots_.publish(std::move(next));
                           }});
  ops::log(ops::Level::info, "anchor.crl",
           {{"who", request.who},
            {"anchor", request.anchor},
            {"issuer", crl.issuer().text()},
            {"this_update", utc_text(crl.this_update())}});
  return crl;
}

ca::DecryptKey ConfigurationChanges::add_decrypt_key(const provision::DecryptKeyPlan& plan,
                                                     const std::string& who) {
  const std::lock_guard lock(mutex_);
  return provision::add_decrypt_key(plan, *snapshots_.current(), decrypt_keys_, sealer_, clock_,
                                    who);
}

}  // namespace estia::app
