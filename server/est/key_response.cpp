// SPDX-License-Identifier: Apache-2.0
#include "server/est/key_response.h"

#include <openssl/evp.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "crypto/base/error.h"
#include "crypto/base/random.h"
#include "server/est/media_type.h"

namespace estia::est {
namespace {

constexpr std::size_t kMaxPart = 1U << 20U;
constexpr std::size_t kBoundarySize = 16;

std::string_view media_type_of(KeyForm form) {
  return form == KeyForm::pkcs8 ? "application/pkcs8"
                                : "application/pkcs7-mime; smime-type=server-generated-key";
}

std::string part_header(std::string_view media_type) {
  return "\r\nContent-Type: " + std::string(media_type) +
         "\r\nContent-Transfer-Encoding: base64\r\n\r\n";
}

std::size_t encoded_size(ByteView bytes) {
  if (bytes.size() > kMaxPart) {
    throw Error(ErrorCode::internal, "base64.too_large", "too large to encode");
  }
  return (bytes.size() + 2) / 3 * 4;
}

/// Fills a body whose size was computed before.
class Writer final {
 public:
  explicit Writer(std::span<std::uint8_t> out) : out_(out) {}
  void text(std::string_view text) {
    std::ranges::copy(as_bytes(text), out_.begin());
    out_ = out_.subspan(text.size());
  }
  /// EVP_EncodeBlock ends with a NUL: something must follow, which overwrites it.
  void base64(ByteView bytes) {
    out_ = out_.subspan(static_cast<std::size_t>(
        ::EVP_EncodeBlock(out_.data(), bytes.data(), static_cast<int>(bytes.size()))));
  }

 private:
  std::span<std::uint8_t> out_;
};

}  // namespace

KeyResponse key_response(KeyForm form, ByteView key, ByteView certs_only) {
  // Base64 has no '-': no line of a part can be taken for the boundary (RFC 2046 5.1.1).
  Bytes random(kBoundarySize);
  random_fill(random);
  const std::string boundary = to_hex(random);
  const std::string key_header = "--" + boundary + part_header(media_type_of(form));
  const std::string certificate_header = "\r\n--" + boundary + part_header(kCertsOnlyMediaType);
  const std::string end = "\r\n--" + boundary + "--\r\n";
  const std::size_t size = key_header.size() + encoded_size(key) + certificate_header.size() +
                           encoded_size(certs_only) + end.size();
  KeyResponse response{
      .content_type = "multipart/mixed; boundary=" + boundary, .secret_body = {}, .body = {}};
  const auto write = [&](std::span<std::uint8_t> out) {
    Writer writer(out);
    writer.text(key_header);
    writer.base64(key);
    writer.text(certificate_header);
    writer.base64(certs_only);
    writer.text(end);
  };
  if (form == KeyForm::pkcs8) {
    response.secret_body = SecureBytes(size);
    write(response.secret_body.span());
  } else {
    response.body.resize(size);
    write({reinterpret_cast<std::uint8_t*>(response.body.data()), size});
  }
  return response;
}

}  // namespace estia::est
