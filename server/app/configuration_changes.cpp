// SPDX-License-Identifier: Apache-2.0
#include "server/app/configuration_changes.h"

#include "server/ops/log.h"
#include "server/provision/configuration_document.h"

namespace estia::app {

provision::ApplyReport ConfigurationChanges::apply(const provision::ApplyRequest& request) {
  const std::lock_guard lock(mutex_);
  TokenCaKeys::Found found;
  provision::ApplyReport report =
      provision::apply(request, store_, clock_,
                       {.prepare = [&](const ca::Snapshot& next) { found = keys_.find(next); },
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

void ConfigurationChanges::set_crl(const ca::StoredCrl& crl, const ca::AuditEvent& audit) {
  const std::lock_guard lock(mutex_);
  store_.set_crl(crl, audit);
  if (const std::optional<ca::StoredConfiguration> stored = store_.load()) {
    snapshots_.publish(provision::build_snapshot(*stored));
  }
  ops::log(ops::Level::info, "anchor.crl",
           {{"who", audit.who}, {"anchor", audit.object}, {"crl", audit.detail}});
}

}  // namespace estia::app
