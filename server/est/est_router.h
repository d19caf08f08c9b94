// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crypto/base/error.h"
#include "server/est/ca_certificates.h"
#include "server/est/enroll.h"
#include "server/http/router.h"

namespace estia::est {

/// /.well-known/est[/<alias>]/<operation> (EST-3.2.2). One table: the same row serves the path with
/// and without an alias; the alias "est" answers the bare one (D12). The services must outlive the
/// router.
class EstRouter final : public http::Router {
 public:
  EstRouter(const ca::SnapshotSource& snapshots, CaCertificates& ca_certificates, Enroll& enroll,
            RefusalAudit& refusals);

  /// Throws Error{not_found, "route.unknown"} for what is not served, Error{malformed,
  /// "route.unknown_alias"} (EST-3.2.2-h). A wrong method on a known operation gives 405 with
  /// Allow, a method nobody knows 501 (HTTP-15.5.6-a).
  [[nodiscard]] http::RouteMatch match(std::string_view method,
                                       const std::vector<std::string>& segments,
                                       const http::PeerInfo& peer) const override;

 private:
  struct Row {
    std::string_view operation;
    std::vector<std::string_view> methods;
    std::size_t body_limit = 0;  ///< bytes; 0 = takes none
    std::function<http::Response(const Target&, const http::Request&)> answer;
    std::function<bool(const ca::Alias&)> served{};  ///< absent: by every alias
  };
  /// Of this alias. Throws Error{not_found, "route.unknown"}.
  [[nodiscard]] const Row& row_of(std::string_view operation, const ca::Alias* alias) const;
  [[nodiscard]] Target target_of(const http::Request& request) const;

  /// What `route` returns; a refusal of it goes into the audit trail.
  template <class Route>
  auto recorded(const http::PeerInfo& peer, Route&& route) const {
    try {
      return std::forward<Route>(route)();
    } catch (const Error& error) {
      refusals_.record({.address = peer.address}, error);
      throw;
    }
  }
  [[nodiscard]] http::RouteMatch find(std::string_view method,
                                      const std::vector<std::string>& segments) const;

  const ca::SnapshotSource& snapshots_;
  RefusalAudit& refusals_;
  const std::vector<Row> rows_;
};

/// Whether the name is an operation of RFC 7030 or RFC 8295, which no alias may have
/// (EST-3.2.2-e).
[[nodiscard]] bool is_reserved_operation(std::string_view name) noexcept;

}  // namespace estia::est
