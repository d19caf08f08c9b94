// SPDX-License-Identifier: Apache-2.0
#include "server/http/request_adapter.h"

#include <Poco/Exception.h>
#include <Poco/Net/HTTPServerRequestImpl.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/Net/StreamSocket.h>
#include <openssl/err.h>

#include <algorithm>
#include <chrono>
#include <ostream>

#include "crypto/base/bytes.h"
#include "crypto/base/random.h"
#include "crypto/base/secret.h"
#include "server/http/connection_socket.h"
#include "server/http/text.h"
#include "server/ops/log.h"

namespace estia::http {
namespace {

using Poco::Net::HTTPResponse;

Response internal_error(std::string detail) {
  return error_response(
      Error(ErrorCode::internal, "http.handler_failed", "a handler failed", std::move(detail)));
}

/// The one catch.
Response answer(const ReceivedRequest& received) {
  try {
    return received.handler(received.request);
  } catch (const ProtocolError& error) {
    Response response = error_response(error);
    response.status = error.status();
    return response;
  } catch (const Error& error) {
    return error_response(error);
  } catch (const Poco::Exception& error) {
    return internal_error(error.displayText());
  } catch (const std::exception& error) {
    return internal_error(error.what());
  } catch (...) {
    return internal_error("not an exception of the standard library");
  }
}

bool is_value_char(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte != 0x7f;
}

/// A handler that lets a peer's text into a field must not let it end the line.
bool has_clean_fields(const Response& response) {
  const auto& fields = response.headers.all();
  return std::all_of(fields.begin(), fields.end(), [](const auto& field) {
    return is_token(field.first) &&
           std::all_of(field.second.begin(), field.second.end(), is_value_char);
  });
}

std::string_view body_of(const Response& answer) noexcept {
  return answer.secret_body ? as_text(answer.secret_body->view()) : std::string_view(answer.body);
}

/// False when the client is gone already.
bool write(const Response& answer, bool to_head, bool close,
           Poco::Net::HTTPServerResponse& response, Connection& connection) {
  response.setStatusAndReason(static_cast<HTTPResponse::HTTPStatus>(answer.status));
  response.setKeepAlive(response.getKeepAlive() && !close);
  for (const auto& [name, value] : answer.headers.all()) {
    response.add(name, value);
  }
  response.setContentLength64(static_cast<Poco::Int64>(body_of(answer).size()));
  response.setChunkedTransferEncoding(false);
  try {
    std::ostream& out = response.send();
    if (!to_head && !answer.secret_body) {
      out.write(answer.body.data(), static_cast<std::streamsize>(answer.body.size()));
    }
    out.flush();
    if (!to_head && answer.secret_body) {
      connection.send(answer.secret_body);
    }
    return out.good();
  } catch (const Poco::Exception&) {
    return false;
  }
}

/// 501 and 505 are said about what a client asked for; anybody can cause them.
bool is_own_failure(int status) noexcept {
  return status >= 500 && status != HTTPResponse::HTTP_NOT_IMPLEMENTED &&
         status != HTTPResponse::HTTP_VERSION_NOT_SUPPORTED;
}

/// "192.0.2.7", or "unix:1000" with the uid of a process on this machine.
std::string peer_text(const PeerInfo& peer) {
  return peer.local ? peer.address + ":" + std::to_string(peer.local->uid) : peer.address;
}

/// What the log tells of an answer, which itself may have to wait for a slow client.
struct Summary {
  int status;
  std::string log_id;
  std::string log_detail;
  bool has_key;
};

Summary summary_of(const Response& answer) {
  return {.status = answer.status,
          .log_id = answer.log_id,
          .log_detail = answer.log_detail,
          .has_key = answer.holds_key};
}

/// `sent`: TLS has taken every byte.
void log_answer(const Request& request, const Summary& answer, bool sent,
                std::chrono::steady_clock::duration time) {
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(time).count();
  const ops::Level level = is_own_failure(answer.status) ? ops::Level::error : ops::Level::info;
  ops::log(level, "http.request",
           {{"request", request.id},
            {"peer", peer_text(request.peer)},
            {"tls", request.peer.tls_version.empty() ? "-" : request.peer.tls_version},
            {"method", request.method},
            {"path", request.path},
            {"status", std::to_string(answer.status)},
            {"id", answer.log_id.empty() ? "-" : answer.log_id},
            {"detail", answer.log_detail.empty() ? "-" : answer.log_detail},
            {"sent", sent ? "yes" : "no"},
            {"us", std::to_string(micros)}});
  if (answer.has_key && !sent) {
    // Its certificate is on record and nobody has its key: somebody should revoke it.
    ops::log(ops::Level::warning, "http.key_not_sent", {{"request", request.id}});
  }
}

/// What Poco would write; nobody comes back to it for this one.
std::string wire_of(const Response& answer, bool to_head) {
  const auto status = static_cast<HTTPResponse::HTTPStatus>(answer.status);
  std::string text = "HTTP/1.1 " + std::to_string(answer.status) + " " +
                     HTTPResponse::getReasonForStatus(status) + "\r\n";
  for (const auto& [name, value] : answer.headers.all()) {
    text += name + ": " + value + "\r\n";
  }
  text += "Connection: close\r\nContent-Length: " + std::to_string(answer.body.size()) + "\r\n\r\n";
  return to_head ? text : text + answer.body;
}

Response late_answer() {
  return error_response(
      Error(ErrorCode::busy, "http.answer_late", "this takes too long, try again later"));
}

}  // namespace

void RequestAdapter::give_up(Connection& connection, Transport& transport,
                             const ReceivedRequest& received, bool replaced) {
  const Response reply = late_answer();
  const bool to_head = received.request.method == "HEAD";
  ops::log(ops::Level::error, "http.answer_late",
           {{"request", received.request.id},
            {"path", received.request.path},
            {"worker", replaced ? "replaced" : "missed"}});
  given_up_->store(true);  // before the client knows
  connection.give_up(wire_of(reply, to_head));
  if (transport.observer) {
    transport.observer->answered(received.route, reply.status, reply.log_id,
                                 transport.limits.answer);
  }
}

void RequestAdapter::handleRequest(Poco::Net::HTTPServerRequest& request,
                                   Poco::Net::HTTPServerResponse& response) {
  const auto begin = std::chrono::steady_clock::now();
  auto& socket = dynamic_cast<ConnectionSocketImpl&>(
      *static_cast<Poco::Net::HTTPServerRequestImpl&>(request).socket().impl());
  Connection& connection = socket.connection();
  ReceivedRequest received = connection.take_request();
  received.request.id = std::move(request_id_);
  received.request.client_gone = [gone = std::move(received.request.client_gone),
                                  given_up = given_up_] { return given_up->load() || gone(); };
  AnswerWatch::Watched watched(
      socket.transport().answers,
      {.replace = [&](Places::Place spare) { connection.replace_worker(std::move(spare)); },
       .give_up =
           [&](bool replaced) { give_up(connection, socket.transport(), received, replaced); }});
  Response reply = answer(received);
  if (!watched.in_time()) {
    cleanse(received.request.body);
    ::ERR_clear_error();
    log_answer(received.request, summary_of(reply), false,
               std::chrono::steady_clock::now() - begin);
    return;  // the connection is broken, and goes
  }
  if (!has_clean_fields(reply)) {
    reply = internal_error("a handler's answer has a field that is no header line");
  }
  cleanse(received.request.body);  // it may have held a password, a code or a key
  ::ERR_clear_error();  // what a handler's crypto left must not be taken for a failure of TLS
  const bool close = reply.close || received.close || socket.transport().connections.draining();
  const bool to_head = received.request.method == "HEAD";
  const bool written = write(reply, to_head, close, response, connection);
  const auto observer = socket.transport().observer;
  connection.finish_answer([observer, route = received.route, request = std::move(received.request),
                            reply = summary_of(reply), begin, written](bool sent) {
    const auto time = std::chrono::steady_clock::now() - begin;
    log_answer(request, reply, written && sent, time);
    if (observer) {
      observer->answered(route, reply.status, reply.log_id, time);
    }
  });
}

RequestAdapterFactory::RequestAdapterFactory() : prefix_(random_text(48)) {}

Poco::Net::HTTPRequestHandler* RequestAdapterFactory::createRequestHandler(
    const Poco::Net::HTTPServerRequest& /*request*/) {
  return new RequestAdapter(prefix_ + "-" + std::to_string(count_.fetch_add(1) + 1));
}

}  // namespace estia::http
