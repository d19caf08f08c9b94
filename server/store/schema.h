// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace estia::store {

// The steps of the schema, each as one script: what stands in a store that was released is never
// changed. migrations.cpp numbers them.
extern const char* const kFirst;
extern const char* const kEndEntities;
extern const char* const kUniqueness;
extern const char* const kAnchorCrls;
extern const char* const kRegisteredSubjects;
extern const char* const kDecryptKeys;

}  // namespace estia::store
