// SPDX-License-Identifier: Apache-2.0
#include "server/app/management_server.h"

#include <unistd.h>

#include "server/api/anchors.h"
#include "server/api/api_router.h"
#include "server/api/cas.h"
#include "server/api/certificates.h"
#include "server/api/configuration.h"
#include "server/api/decrypt_keys.h"
#include "server/api/ejbca.h"
#include "server/api/entities.h"
#include "server/api/explain.h"
#include "server/api/status.h"
#include "server/api/tls.h"
#include "server/api/token.h"

namespace estia::app {
namespace {

/// A few operators, not a fleet of devices; the whole configuration may come at once.
http::Limits limits() {
  http::Limits limits;
  limits.connections = 256;
  limits.per_address = 32;  // of one user: nobody in the socket's group keeps the others out
  limits.workers = 8;
  return limits;
}

std::shared_ptr<const http::Router> router_for(const api::Management& management,
                                               std::vector<unsigned> uids) {
  uids.push_back(::geteuid());
  std::vector<api::Route> routes;
  for (const auto& add :
       {api::configuration_routes, api::certificates_routes, api::entities_routes,
        api::anchors_routes, api::cas_routes, api::decrypt_keys_routes, api::ejbca_routes,
        api::explain_routes, api::status_routes, api::tls_routes, api::token_routes}) {
    for (api::Route& route : add(management)) {
      routes.push_back(std::move(route));
    }
  }
  return std::make_shared<api::ApiRouter>(std::move(routes), std::move(uids));
}

}  // namespace

ManagementServer::ManagementServer(const ProcessConfig::ManagementListener& listener,
                                   api::Management management)
    : management_(std::move(management)),
      server_(http::LocalServerConfig{.socket = listener.socket, .limits = limits()},
              router_for(management_, listener.uids)) {}

}  // namespace estia::app
