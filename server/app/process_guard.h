// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>

namespace estia::app {

/// What must hold before the first thread starts and the first secret is read: the stop signals are
/// blocked (every thread inherits that), SIGPIPE is ignored (a token module or a peer that goes
/// away must not end the process), no core dump and no debugger of the same user can show key or
/// PIN, and files are ours alone unless said otherwise. Throws Error{internal, "process.guard"}.
void guard_process();

/// Who this process is, for the audit trail: "estiad uid 107".
[[nodiscard]] std::string own_name();

/// Lets this process open so many descriptors, as far as its hard limit goes. False: no further
/// than that. Before the first thread starts.
[[nodiscard]] bool allow_descriptors(std::size_t count);

enum class Signal { stop, reload };

/// Waits for SIGTERM or SIGINT (stop) or SIGHUP (reload). Main thread only, after guard_process().
[[nodiscard]] Signal wait_for_signal();

/// Waits for the descriptor to be readable. False: SIGTERM or SIGINT came first. Main thread only,
/// after guard_process(). Throws Error{internal, "process.guard"}.
[[nodiscard]] bool readable_before_stop(int descriptor);

/// From here on a second SIGTERM or SIGINT ends the process at once. Main thread only.
void let_next_stop_signal_kill();

}  // namespace estia::app
