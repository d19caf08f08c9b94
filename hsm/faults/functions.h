// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <p11-kit/pkcs11.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

// What every module needs that stands in front of another one: the functions of CK_FUNCTION_LIST by
// name, and a list of functions that all lead to one place. Headers only, without state.

/// X(name) for each function of CK_FUNCTION_LIST, in its order.
// clang-format off
#define ESTIA_P11_FUNCTIONS(X)                                                                     \
  X(C_Initialize) X(C_Finalize) X(C_GetInfo) X(C_GetFunctionList)                                  \
  X(C_GetSlotList) X(C_GetSlotInfo) X(C_GetTokenInfo) X(C_GetMechanismList) X(C_GetMechanismInfo)  \
  X(C_InitToken) X(C_InitPIN) X(C_SetPIN)                                                          \
  X(C_OpenSession) X(C_CloseSession) X(C_CloseAllSessions) X(C_GetSessionInfo)                     \
  X(C_GetOperationState) X(C_SetOperationState) X(C_Login) X(C_Logout)                             \
  X(C_CreateObject) X(C_CopyObject) X(C_DestroyObject) X(C_GetObjectSize)                          \
  X(C_GetAttributeValue) X(C_SetAttributeValue)                                                    \
  X(C_FindObjectsInit) X(C_FindObjects) X(C_FindObjectsFinal)                                      \
  X(C_EncryptInit) X(C_Encrypt) X(C_EncryptUpdate) X(C_EncryptFinal)                               \
  X(C_DecryptInit) X(C_Decrypt) X(C_DecryptUpdate) X(C_DecryptFinal)                               \
  X(C_DigestInit) X(C_Digest) X(C_DigestUpdate) X(C_DigestKey) X(C_DigestFinal)                    \
  X(C_SignInit) X(C_Sign) X(C_SignUpdate) X(C_SignFinal) X(C_SignRecoverInit) X(C_SignRecover)     \
  X(C_VerifyInit) X(C_Verify) X(C_VerifyUpdate) X(C_VerifyFinal)                                   \
  X(C_VerifyRecoverInit) X(C_VerifyRecover)                                                        \
  X(C_DigestEncryptUpdate) X(C_DecryptDigestUpdate)                                                \
  X(C_SignEncryptUpdate) X(C_DecryptVerifyUpdate)                                                  \
  X(C_GenerateKey) X(C_GenerateKeyPair) X(C_WrapKey) X(C_UnwrapKey) X(C_DeriveKey)                 \
  X(C_SeedRandom) X(C_GenerateRandom)                                                              \
  X(C_GetFunctionStatus) X(C_CancelFunction) X(C_WaitForSlotEvent)
// clang-format on

namespace estia::hsm::faults {

inline constexpr auto kFunctionNames = std::to_array<const char*>({
#define X(function) #function,
    ESTIA_P11_FUNCTIONS(X)
#undef X
});
static_assert(sizeof(CK_FUNCTION_LIST) == (1 + kFunctionNames.size()) * sizeof(void*),
              "a version and a pointer for each function");

/// The place of a function in kFunctionNames; nullopt for a name that PKCS #11 2.40 does not have.
[[nodiscard]] constexpr std::optional<std::size_t> find_function(std::string_view name) {
  const auto* const found = std::find(kFunctionNames.begin(), kFunctionNames.end(), name);
  if (found == kFunctionNames.end()) {
    return std::nullopt;
  }
  return static_cast<std::size_t>(found - kFunctionNames.begin());
}

/// The same for names that are written into the source: a wrong one does not compile.
[[nodiscard]] consteval std::size_t function_index(std::string_view name) {
  return find_function(name).value();
}

template <class Hook, std::size_t Index, auto Member>
struct Thunk;

/// Calls Hook::call<Index, Member>(arguments...).
template <class Hook, std::size_t Index, class... Arguments,
          CK_RV (*CK_FUNCTION_LIST::*Member)(Arguments...)>
struct Thunk<Hook, Index, Member> {
  static CK_RV call(Arguments... arguments) {
    return Hook::template call<Index, Member>(arguments...);
  }
};

/// Puts a thunk in place of every entry of `list`; entries that are missing stay so.
template <class Hook>
void interpose(CK_FUNCTION_LIST& list) {
#define X(function)                                                                            \
  if (list.function != nullptr) {                                                              \
    list.function = Thunk<Hook, function_index(#function), &CK_FUNCTION_LIST::function>::call; \
  }
  ESTIA_P11_FUNCTIONS(X)
#undef X
}

}  // namespace estia::hsm::faults
