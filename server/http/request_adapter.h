// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

namespace estia::http {

class Connection;
struct ReceivedRequest;
struct Transport;

/// The one handler of a listener: calls whoever answers the request, turns whatever is thrown into
/// an answer, and writes one log line. Nothing gets past it into Poco.
class RequestAdapter final : public Poco::Net::HTTPRequestHandler {
 public:
  explicit RequestAdapter(std::string request_id) : request_id_(std::move(request_id)) {}
  void handleRequest(Poco::Net::HTTPServerRequest& request,
                     Poco::Net::HTTPServerResponse& response) override;

 private:
  void give_up(Connection& connection, Transport& transport, const ReceivedRequest& received,
               bool replaced);

  std::string request_id_;
  std::shared_ptr<std::atomic<bool>> given_up_ = std::make_shared<std::atomic<bool>>(false);
};

class RequestAdapterFactory final : public Poco::Net::HTTPRequestHandlerFactory {
 public:
  RequestAdapterFactory();
  Poco::Net::HTTPRequestHandler* createRequestHandler(
      const Poco::Net::HTTPServerRequest& request) override;

 private:
  std::string prefix_;  ///< random: ids of two processes do not meet in one log
  std::atomic<std::uint64_t> count_{0};
};

}  // namespace estia::http
