// SPDX-License-Identifier: Apache-2.0
#include "admin/offline/operations.h"

#include "admin/offline/misuse.h"
#include "server/provision/revoke.h"

namespace estia::admin {

provision::CheckReport check_configuration(OpenState& state, const std::string& document,
                                           const std::string& source) {
  return provision::check(document, source, state.store().configuration());
}

provision::ApplyReport replace_configuration(OpenState& state, provision::ApplyRequest request) {
  request.who = operator_name();
  return provision::apply(request, state.store().configuration(), state.clock());
}

std::string exported_configuration(OpenState& state) {
  return provision::export_configuration(state.store().configuration()).document;
}

ParsedRevocation parse_revocation(const std::string& serial, const std::string& reason) {
  return {.serial = as_option("--serial", [&] { return provision::parse_serial(serial); }),
          .reason = as_option("--reason", [&] { return provision::parse_reason(reason); })};
}

std::string revoke_certificate(OpenState& state, const ParsedRevocation& wanted) {
  provision::revoke(state.store().registry(), state.clock(), operator_name(), wanted.serial,
                    wanted.reason);
  return to_hex(wanted.serial);
}

}  // namespace estia::admin
