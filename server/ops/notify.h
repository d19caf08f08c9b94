// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace estia::ops {

/// Tells the service manager ("READY=1", "STOPPING=1", ...; sd_notify(3)), when there is one that
/// wants to know ($NOTIFY_SOCKET). What it does not take is lost: nothing here depends on it.
void notify(std::string_view state) noexcept;

}  // namespace estia::ops
