// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <p11-kit/pkcs11.h>

#include <algorithm>
#include <map>
#include <vector>

namespace estia::test {

/// What the shim module (p11_shim.cpp) makes of the real module's answers, as p11_shim.h says. The
/// shim's lock guards it.
struct P11Lies {
  bool tell_session_limit = false;
  unsigned long token_flags = 0;
  bool corrupt_signatures = false;
  bool corrupt_wrapped = false;
  bool repeat_attributes = false;
  bool repeat_sessions = false;
  CK_SESSION_HANDLE last_session = CK_INVALID_HANDLE;
  std::map<CK_ATTRIBUTE_TYPE, std::vector<unsigned char>> first_attributes;
  unsigned long flipped_attribute = ~0UL;

  void falsify(CK_TOKEN_INFO* info, unsigned long session_limit) const {
    info->flags |= token_flags;
    if (tell_session_limit) {
      info->ulMaxSessionCount = session_limit;
    }
  }

  void falsify(CK_ATTRIBUTE* list, CK_ULONG count) const {
    for (CK_ULONG i = 0; i < count; ++i) {
      if (list[i].type == flipped_attribute && list[i].pValue != nullptr) {
        static_cast<unsigned char*>(list[i].pValue)[0] ^= 1U;
      }
    }
  }

  /// True if the list was filled with what was read first.
  bool repeated(CK_ATTRIBUTE* list, CK_ULONG count) {
    const auto known = [&](const CK_ATTRIBUTE& one) {
      return first_attributes.find(one.type) != first_attributes.end();
    };
    if (!repeat_attributes || !std::all_of(list, list + count, known)) {
      return false;
    }
    for (CK_ULONG i = 0; i < count; ++i) {
      const auto& value = first_attributes[list[i].type];
      if (list[i].pValue != nullptr && list[i].ulValueLen >= value.size()) {
        std::copy(value.begin(), value.end(), static_cast<unsigned char*>(list[i].pValue));
      }
      list[i].ulValueLen = value.size();
    }
    return true;
  }

  /// True if a session that is there already was given.
  bool repeated(CK_SESSION_HANDLE* session) const {
    if (repeat_sessions) {
      *session = last_session;
    }
    return repeat_sessions;
  }

  void remember(const CK_ATTRIBUTE* list, CK_ULONG count) {
    for (CK_ULONG i = 0; repeat_attributes && i < count; ++i) {
      if (list[i].pValue != nullptr) {
        const auto* value = static_cast<const unsigned char*>(list[i].pValue);
        first_attributes[list[i].type].assign(value, value + list[i].ulValueLen);
      }
    }
  }

  void falsify_wrapped(unsigned char* wrapped, const CK_ULONG* size) const {
    if (corrupt_wrapped && wrapped != nullptr && *size > 0) {
      wrapped[*size - 1] ^= 1U;
    }
  }

  void falsify_signature(unsigned char* signature, const CK_ULONG* size) const {
    if (corrupt_signatures && signature != nullptr && *size > 0) {
      signature[*size - 1] ^= 1U;
    }
  }
};

}  // namespace estia::test
