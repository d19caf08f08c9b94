// SPDX-License-Identifier: Apache-2.0
#include "admin/token/audited_order.h"

#include <exception>
#include <iostream>

#include "crypto/base/error.h"

namespace estia::admin {

void audited(HeldState* state, const std::string& what, const std::vector<std::string>& details,
             const std::function<void()>& order) {
  if (state == nullptr) {
    order();
    return;
  }
  // Why the order failed is worth more to whoever gave it than that its end is in no trail.
  const auto say_failed = [&](const std::string& id) {
    try {
      state->audit(what, id, details);
    } catch (const Error& error) {
      std::cerr << "estia: " << what << " " << id << " is not in the audit trail: " << error.what()
                << "\n";
    }
  };
  state->audit(what, "begun", details);
  try {
    order();
  } catch (const Error& error) {
    say_failed(error.id());
    throw;
  } catch (const std::exception&) {
    say_failed("internal");
    throw;
  }
  state->audit(what, "ok", details);
}

}  // namespace estia::admin
