// SPDX-License-Identifier: Apache-2.0
#include "server/app/configuration_changes.h"

#include "server/ops/log.h"

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

}  // namespace estia::app
