// SPDX-License-Identifier: Apache-2.0
#include "server/api/ejbca.h"

#include "crypto/base/bytes.h"
#include "server/api/json.h"
#include "server/provision/ejbca_import.h"

namespace estia::api {
namespace {

constexpr std::size_t kBodyLimit = 2U << 20U;  // a dump of at most 1 MiB, in base64

http::Response import(const Call& call) {
  JsonObject body = body_of(call.request);
  // As base64: a property file may be Latin-1, which JSON cannot carry.
  const std::string armoured = body.text("dump");
  const Bytes dump = armoured.empty() ? Bytes() : base64_decode(armoured);
  const provision::EjbcaDump wanted{.text = as_text(dump),
                                    .source = body.optional_text("source").value_or("dump"),
                                    .maps = body.texts("maps"),
                                    .ra_scope = body.optional_text("ra_scope")};
  body.finish();
  const provision::EjbcaImport imported = provision::import_ejbca(wanted);
  return json_response({{"toml", imported.toml},
                        {"took", imported.took},
                        {"differs", imported.differs},
                        {"not_taken", imported.not_taken}});
}

}  // namespace

std::vector<Route> ejbca_routes(const Management& /*management*/) {
  return {{"POST", {"ejbca-import"}, kBodyLimit, import}};
}

}  // namespace estia::api
