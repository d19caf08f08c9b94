// SPDX-License-Identifier: Apache-2.0
#include "server/est/enroll.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "crypto/base/error.h"
#include "crypto/cms/certs_only.h"
#include "server/auth/basic.h"
#include "server/ca/naming.h"
#include "server/est/channel_binding.h"
#include "server/est/media_type.h"
#include "server/est/request_body.h"
#include "server/est/spent_code.h"
#include "server/http/router.h"
#include "server/ops/log.h"

namespace estia::est {
namespace {

bool is_authorization(const std::pair<std::string, std::string>& field) {
  constexpr std::string_view kName = "authorization";
  return std::equal(field.first.begin(), field.first.end(), kName.begin(), kName.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
}

std::optional<std::string> authorization(const http::Request& request) {
  const auto& fields = request.headers.all();
  if (std::count_if(fields.begin(), fields.end(), is_authorization) > 1) {
    throw Error(ErrorCode::malformed, "auth.repeated_field", "more than one Authorization field");
  }
  return request.headers.find("Authorization");
}

void check_media_type(const http::Request& request) {
  const std::optional<std::string> field = request.headers.find("Content-Type");
  if (!field || media_type(*field) != kCsrMediaType) {
    throw Error(ErrorCode::unsupported_media, "body.media_type",
                "the Content-Type of this request must be " + std::string(kCsrMediaType));
  }
}

http::Response refusal(const Error& error) {
  http::Response response = http::error_response(error);
  if (error.code() == ErrorCode::unauthenticated) {
    response.headers.add("WWW-Authenticate", std::string(auth::kBasicChallenge));
    // Bouncy Castle 1.72 gives up on a 401 with a body: it closes the answer unread, which throws.
    response.body.clear();
  } else if (error.code() == ErrorCode::unsupported_media) {
    response.headers.add("Accept", std::string(kCsrMediaType));
  }
  return response;
}

http::Response success(const crypto::IssuedCertificate& certificate) {
  http::Response response;
  response.headers.add("Content-Type", std::string(kCertsOnlyMediaType));
  response.headers.add("Content-Transfer-Encoding", "base64");
  // One line: strongSwan 5.9.8 decodes white space inside as data (docs/clients.md).
  response.body = base64_encode(crypto::certs_only(std::vector<Bytes>{certificate.der()})) + "\n";
  return response;
}

/// What may be secrets of the client's: its password or code by Basic, and a code inside the CSR.
std::vector<Secret> credentials_in(const http::Request& request, const ca::Alias& alias,
                                   const crypto::Csr& csr) {
  std::vector<Secret> found;
  if (const auto header = authorization(request)) {
    if (auto basic = auth::parse_basic(*header)) {
      found.push_back(std::move(basic->password));
    }
  }
  std::optional<std::string> code = csr.challenge_password();
  if (alias.code_source == ca::CodeSource::dn_part) {
    code = ca::value_of(csr.subject(), alias.code_field);
  }
  if (code) {
    found.emplace_back(*code);
    cleanse(*code);
  }
  return found;
}

}  // namespace

http::Response Enroll::answer(const Target& target, ca::Operation operation,
                              const http::Request& request) {
  Progress progress;
  http::Response response;
  try {
    response = certify(target, operation, request, progress);
  } catch (const Error& error) {
    // Who is told of a wrong password is told so before a binding was looked at: a spent code must
    // not be told from a wrong one by what happens to the connection.
    progress.close = progress.close && error.id() != auth::kWrongPassword;
    response = refusal(error);
    refusals_.record({.who = progress.who,
                      .alias = target.alias->name,
                      .operation = std::string(to_string(operation)),
                      .request = request.id,
                      .address = request.peer.address},
                     error);
  }
  response.headers.add("Cache-Control", "no-store");  // EST-4.2.3-g
  response.close = response.close || progress.close;
  return response;
}

http::Response Enroll::certify(const Target& target, ca::Operation operation,
                               const http::Request& request, Progress& progress) {
  const std::optional<std::string> credentials = authorization(request);
  const ca::Alias& alias = *target.alias;
  const auth::Presented presented{request.peer.chain, credentials, request.peer.address};
  std::optional<ca::Identity> proven =
      authentication_.authenticate(*target.snapshot, alias, operation, presented);
  return telling_no_spent_code(authentication_, alias, proven, presented.address, [&] {
    progress.who = proven ? proven->who() : "";
    check_media_type(request);
    const crypto::Csr csr = csr_in(request.body, operation);
    if (!proven) {
      proven = authentication_.authenticate_by_csr(*target.snapshot, alias, csr, presented);
    }
    progress.who = proven->who();
    return issue(target, *proven, operation, csr, request, progress.close);
  });
}

http::Response Enroll::issue(const Target& target, const ca::Identity& identity,
                             ca::Operation operation, const crypto::Csr& csr,
                             const http::Request& request, bool& close) {
  const ca::Alias& alias = *target.alias;
  const Challenge challenge = challenge_of(alias, identity);
  close = spends_binding(alias.channel_binding, challenge, csr, request.peer);
  const Linking linking = check_linking(alias.channel_binding, challenge, csr, request.peer);
  std::optional<KeyDelivery::Order> order;
  if (operation == ca::Operation::serverkeygen) {
    order.emplace(delivery_.order(alias, csr,
                                  {.chain = request.peer.chain,
                                   .accept = request.headers.list("Accept"),
                                   .client_gone = request.client_gone,
                                   .credentials = credentials_in(request, alias, csr)}));
  }
  const ca::Enrolled enrolled = enrollment_.enroll(*target.snapshot, alias, identity, operation,
                                                   csr, order ? &*order : nullptr);
  ops::log(ops::Level::info, "est.enrolled",  // EST-6-g
           {{"request", request.id},
            {"alias", alias.name},
            {"operation", std::string(ca::to_string(operation))},
            {"kind", std::string(ca::to_string(enrolled.kind))},  // EST-4.2.2-d
            {"who", identity.who()},
            {"linking", linking == Linking::verified ? "verified" : "absent"},
            {"delivered", order ? order->text() : "-"},
            {"key", to_hex(enrolled.key_fingerprint)},
            {"serial", to_hex(enrolled.certificate.serial())}});
  return order ? order->response(enrolled.certificate) : success(enrolled.certificate);
}

}  // namespace estia::est
