// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/support/key_answer.h"

#include <algorithm>
#include <stdexcept>

#include "crypto/base/file.h"

namespace estia::e2e {
namespace {

std::string boundary_of(const Answer& answer) {
  const std::string type = answer.header("Content-Type");
  const std::string wanted = "multipart/mixed; boundary=";
  if (!type.starts_with(wanted)) {
    throw std::runtime_error("not multipart/mixed: " + type);
  }
  std::string boundary = type.substr(wanted.size());
  std::erase(boundary, '"');
  return boundary;
}

Part part_of(const std::string& text) {
  const std::size_t blank = text.find("\r\n\r\n");
  if (blank == std::string::npos) {
    throw std::runtime_error("a part without a blank line: " + text);
  }
  std::string body = text.substr(blank + 4);
  std::erase_if(body, [](char c) { return c == '\r' || c == '\n'; });
  return {.head = text.substr(0, blank + 2), .content = base64_decode(body)};
}

}  // namespace

std::vector<Part> parts_of(const Answer& answer) {
  const std::string delimiter = "\r\n--" + boundary_of(answer);
  const std::string body = "\r\n" + answer.body;
  std::vector<Part> parts;
  std::size_t at = body.find(delimiter);
  for (;;) {
    if (at == std::string::npos) {
      throw std::runtime_error("the last boundary is missing: " + answer.body);
    }
    at += delimiter.size();
    if (body.compare(at, 2, "--") == 0) {
      return parts;
    }
    const std::size_t next = body.find(delimiter, at);
    parts.push_back(part_of(body.substr(at + 2, next - at - 2)));
    at = next;
  }
}

KeyAnswer save_parts(const EstClient& client, const Answer& answer) {
  const std::vector<Part> parts = parts_of(answer);
  const KeyAnswer saved{.key = client.new_file(".der"),
                        .certificate = client.save_certificate(base64_encode(parts.at(1).content))};
  write_new_file(saved.key, std::string(as_text(parts.at(0).content)), FileMode::secret);
  return saved;
}

}  // namespace estia::e2e
