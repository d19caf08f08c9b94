// SPDX-License-Identifier: Apache-2.0
#include "admin/offline/process_config_text.h"

#include "server/provision/document_table.h"

namespace estia::admin {

std::string process_config_text(const ProcessConfigValues& values) {
  using provision::toml_string;
  std::string text =
      "# Process configuration of estiad, made by estia init. Relative paths start at this\n"
      "# directory. docs/configuration.md describes every key; estiad --check-config checks them.\n"
      "# CAs, profiles, aliases and accounts are in the store: estia config export, estia apply.\n"
      "\n[listener.est]\n"
      "# Where EST clients connect.\n"
      "host = " +
      toml_string(values.host) + "\nport = " + std::to_string(values.port) +
      "\n# The server's certificate with its issuer (PEM), and its key: a file (PEM, mode 0600),\n"
      "# or the name of a key in the token.\n"
      "certificate = \"tls/server.pem\"\n"
      "key = " +
      toml_string(values.tls_key_uri.empty() ? "tls/server.key" : values.tls_key_uri) +
      "\n"
      "\n[listener.management]\n"
      "# Where estia talks to the running estiad: a Unix socket, in a directory of mode 0750.\n"
      "socket = \"management/socket\"\n"
      "# Users besides estiad's own that may use it, by their numbers. Root is not excepted.\n"
      "uids = []\n"
      "\n[store]\n"
      "# The SQLite database. Keep it on a local disk.\n"
      "path = \"estia.db\"\n"
      "\n[token]\n"
      "# The PKCS#11 module and the token in it that holds the CA keys.\n"
      "module = " +
      toml_string(values.module.string()) + "\n";
  if (!values.init_args.empty()) {
    text += "# What C_Initialize is given; only some modules want it.\ninit_args = " +
            toml_string(values.init_args) + "\n";
  }
  return text + "label = " + toml_string(values.token_label) +
         "\nserial = " + toml_string(values.token_serial) +
         "\n# Its PIN: a file of mode 0600.\n"
         "pin_file = " +
         toml_string(values.pin_file.string()) +
         "\n\n[log]\n"
         "# trace, debug, info, warn or error.\n"
         "level = \"info\"\n";
}

}  // namespace estia::admin
