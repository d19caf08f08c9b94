// SPDX-License-Identifier: Apache-2.0
#include "hsm/function_list.h"

#include <algorithm>
#include <array>
#include <string>

#include "crypto/base/error.h"

/// F(name) for each function of CK_FUNCTION_LIST, in its order.
// clang-format off
#define ESTIA_FUNCTIONS(F)                                                            \
  F(C_Initialize) F(C_Finalize) F(C_GetInfo) F(C_GetFunctionList) F(C_GetSlotList) \
  F(C_GetSlotInfo) F(C_GetTokenInfo) F(C_GetMechanismList) F(C_GetMechanismInfo) \
  F(C_InitToken) F(C_InitPIN) F(C_SetPIN) F(C_OpenSession) F(C_CloseSession) \
  F(C_CloseAllSessions) F(C_GetSessionInfo) F(C_GetOperationState) F(C_SetOperationState) \
  F(C_Login) F(C_Logout) F(C_CreateObject) F(C_CopyObject) F(C_DestroyObject) \
  F(C_GetObjectSize) F(C_GetAttributeValue) F(C_SetAttributeValue) F(C_FindObjectsInit) \
  F(C_FindObjects) F(C_FindObjectsFinal) F(C_EncryptInit) F(C_Encrypt) F(C_EncryptUpdate) \
  F(C_EncryptFinal) F(C_DecryptInit) F(C_Decrypt) F(C_DecryptUpdate) F(C_DecryptFinal) \
  F(C_DigestInit) F(C_Digest) F(C_DigestUpdate) F(C_DigestKey) F(C_DigestFinal) F(C_SignInit) \
  F(C_Sign) F(C_SignUpdate) F(C_SignFinal) F(C_SignRecoverInit) F(C_SignRecover) \
  F(C_VerifyInit) F(C_Verify) F(C_VerifyUpdate) F(C_VerifyFinal) F(C_VerifyRecoverInit) \
  F(C_VerifyRecover) F(C_DigestEncryptUpdate) F(C_DecryptDigestUpdate) F(C_SignEncryptUpdate) \
  F(C_DecryptVerifyUpdate) F(C_GenerateKey) F(C_GenerateKeyPair) F(C_WrapKey) F(C_UnwrapKey) \
  F(C_DeriveKey) F(C_SeedRandom) F(C_GenerateRandom) F(C_GetFunctionStatus) \
  F(C_CancelFunction) F(C_WaitForSlotEvent)
// clang-format on

namespace estia::hsm {
namespace {

// As docs/hsm-integration.md says.
constexpr auto kNeeded = std::to_array<std::string_view>(
    {"C_Initialize", "C_Finalize", "C_GetSlotList", "C_GetTokenInfo", "C_OpenSession",
     "C_CloseSession", "C_Login", "C_FindObjectsInit", "C_FindObjects", "C_FindObjectsFinal",
     "C_GetAttributeValue", "C_GenerateKeyPair", "C_DestroyObject", "C_SignInit", "C_Sign"});

#define ESTIA_ONE(function) +1
static_assert(sizeof(CK_FUNCTION_LIST) == (1 ESTIA_FUNCTIONS(ESTIA_ONE)) * sizeof(void*),
              "a version and a pointer for each function");
#undef ESTIA_ONE

template <class... Arguments>
CK_RV not_supported(Arguments... /*arguments*/) {
  return CKR_FUNCTION_NOT_SUPPORTED;
}

/// True if there was nothing.
template <class... Arguments>
bool fill(CK_RV (*&entry)(Arguments...)) {
  if (entry != nullptr) {
    return false;
  }
  entry = not_supported<Arguments...>;
  return true;
}

}  // namespace

FunctionList::FunctionList(const CK_FUNCTION_LIST& told, const std::filesystem::path& path)
    : list_(told) {
#define ESTIA_FILL(function)      \
  if (fill(list_.function)) {     \
    absent_.push_back(#function); \
  }
  ESTIA_FUNCTIONS(ESTIA_FILL)
#undef ESTIA_FILL
  std::string missing;
  for (const std::string_view function : kNeeded) {
    if (!has(function)) {
      missing.append(missing.empty() ? "" : ", ").append(function);
    }
  }
  if (!missing.empty()) {
    throw Error(ErrorCode::config, "token.module_invalid",
                path.string() + " has no " + missing + ", which Estia needs");
  }
}

bool FunctionList::has(std::string_view function) const {
  return std::ranges::find(absent_, function) == absent_.end();
}

}  // namespace estia::hsm
