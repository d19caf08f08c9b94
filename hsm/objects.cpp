// SPDX-License-Identifier: Apache-2.0
#include "hsm/objects.h"

#include <chrono>
#include <cstring>
#include <thread>
#include <utility>

#include "crypto/base/der.h"
#include "crypto/base/error.h"
#include "hsm/ckr.h"

namespace estia::hsm {
namespace {

constexpr const char* kEcPublicKey = "1.2.840.10045.2.1";
constexpr const char* kRsaEncryption = "1.2.840.113549.1.1.1";
constexpr const char* kEd25519 = "1.3.101.112";
constexpr std::size_t kEd25519Size = 32;
constexpr CK_ULONG kLongestAttribute = 64UL * 1024;

[[noreturn]] void invalid_public_key(const std::string& why) {
  throw Error(ErrorCode::token, "token.public_key_invalid",
              "the token's public key object cannot be used", why);
}

ByteView view_of(const void* value, std::size_t size) {
  return {static_cast<const std::uint8_t*>(value), size};
}

/// CKA_EC_POINT is a DER OCTET STRING; some modules give the bare point.
Bytes unwrap_point(const Bytes& value, std::size_t bare_size) {
  ByteView rest = value;
  if (value.size() == bare_size || value.empty() || value.front() != 0x04) {
    return value;
  }
  try {
    const der::Element element = der::read(rest);
    if (rest.empty()) {
      return {element.value.begin(), element.value.end()};
    }
  } catch (const Error&) {
    // 0x04 also starts an uncompressed point
  }
  return value;
}

/// End of a search, whatever happens in between: else the session stays busy.
class Search final {
 public:
  Search(const Module& module, CK_SESSION_HANDLE session, Template& wanted)
      : module_(module), session_(session) {
    check(module_->C_FindObjectsInit(session_, wanted.data(), wanted.size()), "C_FindObjectsInit");
  }
  ~Search() { static_cast<void>(module_->C_FindObjectsFinal(session_)); }
  Search(const Search&) = delete;
  Search& operator=(const Search&) = delete;
  Search(Search&&) = delete;
  Search& operator=(Search&&) = delete;

  std::optional<CK_OBJECT_HANDLE> next() {
    CK_OBJECT_HANDLE handle = CK_INVALID_HANDLE;
    CK_ULONG count = 0;
    check(module_->C_FindObjects(session_, &handle, 1, &count), "C_FindObjects");
    return count == 1 ? std::optional(handle) : std::nullopt;
  }

 private:
  const Module& module_;
  CK_SESSION_HANDLE session_;
};

}  // namespace

Template& Template::bytes(CK_ATTRIBUTE_TYPE type, ByteView value) {
  Bytes& kept = values_.emplace_back(value.begin(), value.end());
  list_.push_back({type, kept.data(), kept.size()});
  return *this;
}

Template& Template::text(CK_ATTRIBUTE_TYPE type, std::string_view value) {
  return bytes(type, as_bytes(value));
}

Template& Template::number(CK_ATTRIBUTE_TYPE type, CK_ULONG value) {
  return bytes(type, view_of(&value, sizeof value));
}

Template& Template::flag(CK_ATTRIBUTE_TYPE type, bool value) {
  const CK_BBOOL as_byte = value ? CK_TRUE : CK_FALSE;
  return bytes(type, view_of(&as_byte, sizeof as_byte));
}

std::vector<CK_OBJECT_HANDLE> Objects::find(Template& wanted, std::size_t limit) const {
  Search search(module_, session_, wanted);
  std::vector<CK_OBJECT_HANDLE> found;
  while (found.size() < limit) {
    const auto handle = search.next();
    if (!handle) {
      break;
    }
    found.push_back(*handle);
  }
  return found;
}

std::vector<CK_OBJECT_HANDLE> Objects::find_few(Template& wanted) const {
  constexpr int kLooks = 5;
  constexpr std::chrono::milliseconds kPause{10};
  for (int look = 1;; ++look) {
    std::vector<CK_OBJECT_HANDLE> found = find(wanted, 2);
    if (found.size() < 2 || look == kLooks) {
      return found;
    }
    std::this_thread::sleep_for(kPause);
  }
}

std::optional<Bytes> Objects::bytes(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) const {
  CK_ATTRIBUTE attribute{type, nullptr, 0};
  CK_RV rv = module_->C_GetAttributeValue(session_, object, &attribute, 1);
  if (rv == CKR_ATTRIBUTE_TYPE_INVALID || rv == CKR_ATTRIBUTE_SENSITIVE) {
    return std::nullopt;
  }
  check(rv, "C_GetAttributeValue");
  if (attribute.ulValueLen == CK_UNAVAILABLE_INFORMATION ||
      attribute.ulValueLen > kLongestAttribute) {
    return std::nullopt;
  }
  Bytes value(attribute.ulValueLen);
  if (value.empty()) {
    return value;
  }
  attribute.pValue = value.data();
  check(module_->C_GetAttributeValue(session_, object, &attribute, 1), "C_GetAttributeValue");
  if (attribute.ulValueLen > value.size()) {
    return std::nullopt;
  }
  value.resize(attribute.ulValueLen);
  return value;
}

std::optional<CK_ULONG> Objects::number(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) const {
  const auto value = bytes(object, type);
  CK_ULONG number = 0;
  if (!value || value->size() != sizeof number) {
    return std::nullopt;
  }
  std::memcpy(&number, value->data(), sizeof number);
  return number;
}

std::optional<bool> Objects::flag(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) const {
  const auto value = bytes(object, type);
  if (!value || value->size() != sizeof(CK_BBOOL)) {
    return std::nullopt;
  }
  return value->front() != CK_FALSE;
}

Bytes Objects::demand(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) const {
  auto value = bytes(object, type);
  if (!value) {
    invalid_public_key("attribute " + std::to_string(type) + " is missing");
  }
  return std::move(*value);
}

Bytes Objects::spki(CK_OBJECT_HANDLE object) const {
  const auto kind = number(object, CKA_KEY_TYPE);
  if (kind == CKK_RSA) {
    const Bytes key = der::sequence({der::integer(demand(object, CKA_MODULUS)),
                                     der::integer(demand(object, CKA_PUBLIC_EXPONENT))});
    return der::sequence(
        {der::sequence({der::oid(kRsaEncryption), der::null()}), der::bit_string(key)});
  }
  if (kind == CKK_EC) {
    const Bytes point = unwrap_point(demand(object, CKA_EC_POINT), 0);
    return der::sequence({der::sequence({der::oid(kEcPublicKey), demand(object, CKA_EC_PARAMS)}),
                          der::bit_string(point)});
  }
  if (kind == CKK_EC_EDWARDS) {
    const Bytes point = unwrap_point(demand(object, CKA_EC_POINT), kEd25519Size);
    if (point.size() != kEd25519Size) {
      invalid_public_key("an Edwards curve other than Ed25519");
    }
    return der::sequence({der::sequence({der::oid(kEd25519)}), der::bit_string(point)});
  }
  invalid_public_key("neither EC nor RSA nor Ed25519");
}

crypto::PublicKey Objects::public_key(CK_OBJECT_HANDLE object) const {
  const Bytes encoded = spki(object);
  try {
    return crypto::PublicKey::from_spki(encoded);
  } catch (const Error& error) {
    invalid_public_key(error.id() + ": " + error.detail());
  }
}

void Objects::destroy(CK_OBJECT_HANDLE object) const {
  check(module_->C_DestroyObject(session_, object), "C_DestroyObject");
}

}  // namespace estia::hsm
