// SPDX-License-Identifier: Apache-2.0
// A shared library without C_GetFunctionList.
extern "C" int estia_not_a_module() {
  return 0;
}
