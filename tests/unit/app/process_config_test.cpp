// SPDX-License-Identifier: Apache-2.0
#include "server/app/process_config.h"

#include <gtest/gtest.h>

#include "crypto/base/error.h"
#include "crypto/base/file.h"
#include "tests/support/scratch_directory.h"

namespace estia::app {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const std::string kListener = R"([listener.est]
certificate = "tls/server.pem"
key = "tls/server.key"
)";
const std::string kStore = R"([store]
path = "estia.db"
)";
const std::string kToken = R"([token]
module = "/usr/lib/softhsm/libsofthsm2.so"
label = "estia"
pin_file = "/etc/estia/pin"
)";

class ProcessConfigTest : public testing::Test {
 protected:
  ProcessConfig load(const std::string& text) {
    replace_file(file, text, FileMode::secret);
    return load_process_config(file, scratch.path());
  }
  /// "id message" without the folder's name.
  std::string refusal(const std::string& text) {
    try {
      static_cast<void>(load(text));
      return "accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::config);
      std::string message = error.what();
      EXPECT_TRUE(message.starts_with(file.string() + ":")) << message;
      return error.id() + " " + message.substr(file.string().size());
    }
  }

  test::ScratchDirectory scratch;
  std::filesystem::path file = scratch.path() / "estia.toml";
};

TEST_F(ProcessConfigTest, TheSmallestFileHasSafeDefaults) {
  const ProcessConfig config = load(kListener + kStore + kToken);
  EXPECT_EQ(config.est.host, "127.0.0.1");
  EXPECT_EQ(config.est.port, 8443);
  EXPECT_EQ(config.est.certificate, scratch.path() / "tls/server.pem");
  EXPECT_EQ(config.store, scratch.path() / "estia.db");
  EXPECT_TRUE(config.management.enabled);
  EXPECT_EQ(config.management.socket, scratch.path() / "management/socket");
  EXPECT_TRUE(config.management.uids.empty());
  EXPECT_EQ(config.token.module, "/usr/lib/softhsm/libsofthsm2.so");
  EXPECT_EQ(config.token.pin_file, "/etc/estia/pin");
  EXPECT_EQ(config.drain, seconds(20));
  EXPECT_EQ(config.log_level, "info");
  EXPECT_EQ(config.limits.handshake, seconds(5));
}

TEST_F(ProcessConfigTest, EveryKeyIsRead) {
  const ProcessConfig config = load(R"([listener.est]
host = "::1"
port = 0
certificate = "/c"
key = "../k"
[listener.management]
enabled = false
socket = "/run/m"
uids = [0, 1000, 4294967294]
[store]
path = "/var/s.db"
[token]
module = "m.so"
init_args = "a=b"
label = "l"
serial = "00ff"
pin_file = "p"
max_sessions = 3
session_wait = "250ms"
[listener.ops]
host = "127.0.0.2"
port = 9464
[serverkeygen]
at_once = 2
rsa_at_once = 3
stock_rsa_2048 = 4
stock_rsa_3072 = 0
stock_rsa_4096 = 64
[limits]
handshake = "1s"
header = "2s"
body = 3
idle = "4m"
send = "5s"
linger = "6ms"
queue = "7ms"
connections = 7
per_address = 5
buffered_bytes = 1048576
workers = 8
drain = "9s"
drain_notice = "2s"
[log]
level = "debug"
)");
  EXPECT_EQ(config.est.host, "::1");
  EXPECT_EQ(config.est.port, 0);
  EXPECT_EQ(config.est.key, (scratch.path() / "../k").lexically_normal());
  EXPECT_FALSE(config.management.enabled);
  EXPECT_EQ(config.management.socket, "/run/m");
  EXPECT_EQ(config.management.uids, (std::vector<unsigned>{0, 1000, 4294967294}));
  EXPECT_EQ(config.token.init_args, "a=b");
  EXPECT_EQ(config.token.serial, "00ff");
  EXPECT_EQ(config.token.max_sessions, 3U);
  EXPECT_EQ(config.token.session_wait, milliseconds(250));
  EXPECT_EQ(config.serverkeygen.at_once, 2U);
  EXPECT_EQ(config.serverkeygen.rsa_at_once, 3U);
  EXPECT_EQ(config.serverkeygen.stock,
            (std::map<std::string, std::size_t>{{"RSA-2048", 4}, {"RSA-4096", 64}}));
  EXPECT_EQ(config.limits.handshake, seconds(1));
  EXPECT_EQ(config.limits.header, seconds(2));
  EXPECT_EQ(config.limits.body, seconds(3));
  EXPECT_EQ(config.limits.idle, seconds(240));
  EXPECT_EQ(config.limits.send, seconds(5));
  EXPECT_EQ(config.limits.linger, milliseconds(6));
  EXPECT_EQ(config.limits.queue, milliseconds(7));
  EXPECT_EQ(config.limits.connections, 7U);
  EXPECT_EQ(config.limits.per_address, 5U);
  EXPECT_EQ(config.limits.buffered_bytes, std::size_t{1} << 20U);
  EXPECT_EQ(config.limits.workers, 8U);
  EXPECT_EQ(config.drain, seconds(9));
  EXPECT_EQ(config.drain_notice, seconds(2));
  EXPECT_TRUE(config.ops.enabled);
  EXPECT_EQ(config.ops.host, "127.0.0.2");
  EXPECT_EQ(config.ops.port, 9464);
  EXPECT_EQ(config.log_level, "debug");
}

TEST_F(ProcessConfigTest, AnUnknownKeyIsRefusedWithLineAndName) {
  EXPECT_EQ(refusal("[listener.est]\nprot = 1\n" + kListener.substr(15) + kStore + kToken),
            "config.unknown_key :2: listener.est.prot: unknown key");
  EXPECT_EQ(refusal(kListener + kStore + kToken + "pin = \"1234\"\n"),
            "config.unknown_key :10: token.pin: unknown key");
  EXPECT_EQ(refusal(kListener + "[listener.admin]\n" + kStore + kToken),
            "config.unknown_key :4: listener.admin: unknown key");
}

TEST_F(ProcessConfigTest, MoreTokensHaveNames) {
  const std::string spare =
      "[tokens.spare]\nmodule = \"m\"\nserial = \"1\"\npin_credential = \"spare-pin\"\n";
  const ProcessConfig config = load(kListener + kStore + kToken + spare +
                                    "[tokens.net-2]\nmodule = \"n\"\nlabel = \"x\"\n"
                                    "pin_from = \"operator\"\n[serverkeygen]\ntoken = \"spare\"\n");
  ASSERT_EQ(config.tokens.size(), 2U);
  const ProcessConfig::Token& one = config.tokens.at("spare");
  EXPECT_EQ(one.pin_from, ProcessConfig::PinFrom::credential);
  EXPECT_EQ(one.pin_credential, "spare-pin");
  EXPECT_EQ(one.pin_marker.filename(), "token-pin-refused-spare");
  EXPECT_EQ(config.tokens.at("net-2").pin_from, ProcessConfig::PinFrom::operators);
  EXPECT_EQ(config.token.pin_marker.filename(), "token-pin-refused");
  EXPECT_EQ(config.serverkeygen.token, "spare");
}

/// Found in review: two tables that name one token each tried its PIN, which locks it sooner.
TEST_F(ProcessConfigTest, ATokenIsNamedOnce) {
  const std::filesystem::path module = scratch.path() / "module.so";
  write_new_file(module, "", FileMode::readable);
  std::filesystem::create_symlink(module, scratch.path() / "link.so");
  const auto table = [](const std::string& name, const std::string& lines) {
    return "[" + name + "]\npin_file = \"p\"\n" + lines;
  };
  const auto id = [&](const std::string& tables) {
    const std::string told = refusal(kListener + kStore + tables);
    return told.substr(0, told.find(' '));
  };
  const auto two = [&](const std::string& one, const std::string& other) {
    return id(table("token", "module = \"module.so\"\n" + one) +
              table("tokens.two", "module = \"link.so\"\n" + other));
  };
  const std::string label = "label = \"l\"\n";
  const std::string serial = "serial = \"1\"\n";
  EXPECT_EQ(two(label, label), "config.token_twice");
  EXPECT_EQ(two(label, "label = \"l \"\n"), "config.token_twice") << "padding";
  EXPECT_EQ(two(serial, serial), "config.token_twice");
  EXPECT_EQ(two(label, serial), "config.token_twice") << "nobody can tell";
  EXPECT_EQ(two(label + serial, label), "config.token_twice");
  EXPECT_EQ(two(label, "label = \"m\"\n"), "accepted");
  EXPECT_EQ(two(label + serial, label + "serial = \"2\"\n"), "accepted");
  EXPECT_EQ(two(serial, "label = \"m\"\nserial = \"2\"\n"), "accepted");
  EXPECT_EQ(id(kToken + table("tokens.a", "module = \"link.so\"\n" + label) +
               table("tokens.b", "module = \"module.so\"\n" + label)),
            "config.token_twice");
}

TEST_F(ProcessConfigTest, ATokensNameIsPlain) {
  const auto named = [&](const std::string& name) {
    return refusal(kListener + kStore + kToken + "[tokens." + name +
                   "]\nmodule = \"m\"\nserial = \"1\"\npin_file = \"p\"\n");
  };
  for (const char* name : {"main", "\"a b\"", "\"../x\"", "\"\"", "UPPER"}) {
    EXPECT_EQ(named(name).substr(0, 12), "config.value") << name;
  }
  EXPECT_EQ(refusal(kListener + kStore + kToken + "[serverkeygen]\ntoken = \"none\"\n"),
            "config.value :11: serverkeygen.token: names none of the tokens");
}

TEST_F(ProcessConfigTest, APinHasOneSource) {
  const auto with = [&](const std::string& lines) {
    return refusal(kListener + kStore + "[token]\nmodule = \"m\"\nlabel = \"l\"\n" + lines);
  };
  EXPECT_EQ(with(""), "config.missing :6: token.pin_file: is needed");
  EXPECT_EQ(with("pin_file = \"p\"\npin_credential = \"c\"\n"),
            "config.value :9: token.pin_file: exactly one of pin_file, pin_credential and pin_from "
            "is needed");
  EXPECT_EQ(with("pin_credential = \"../c\"\n"),
            "config.value :9: token.pin_credential: must be the name of a credential");
  EXPECT_EQ(with("pin_from = \"anywhere\"\n"),
            "config.value :9: token.pin_from: must be \"operator\"");
}

TEST_F(ProcessConfigTest, SignaturesAreMadeNativelyUnlessSaidOtherwise) {
  EXPECT_EQ(load(kListener + kStore + kToken).token.signing, hsm::Signing::native);
  EXPECT_EQ(load(kListener + kStore + kToken + "signing = \"pkcs11-provider\"\n").token.signing,
            hsm::Signing::pkcs11_provider);
  EXPECT_EQ(refusal(kListener + kStore + kToken + "signing = \"openssl\"\n"),
            "config.value :10: token.signing: must be native or pkcs11-provider");
}

TEST_F(ProcessConfigTest, WhatIsMissingIsNamed) {
  EXPECT_EQ(refusal(kListener + kToken), "config.missing : store.path: is needed");
  EXPECT_EQ(refusal("[listener.est]\nkey=\"k\"\n" + kStore + kToken),
            "config.missing :1: listener.est.certificate: is needed");
  EXPECT_EQ(refusal(kListener + kStore + "[token]\nmodule=\"m\"\npin_file=\"p\"\n"),
            "config.value :6: token.label: label or serial is needed to tell which token");
  EXPECT_EQ(refusal(kListener + "[store]\npath = \"\"\n" + kToken),
            "config.missing :5: store.path: is needed");
}

TEST_F(ProcessConfigTest, AWrongTypeOrValueIsNamed) {
  const auto with = [&](const std::string& line) {
    return refusal(line + "\n" + kListener.substr(15) + kStore + kToken);
  };
  EXPECT_EQ(with("[listener.est]\nport = \"8443\""),
            "config.type :2: listener.est.port: must be a whole number");
  EXPECT_EQ(with("[listener.est]\nport = 65536"),
            "config.value :2: listener.est.port: must lie between 0 and 65535");
  EXPECT_EQ(with("[listener.est]\nport = -1"),
            "config.value :2: listener.est.port: must lie between 0 and 65535");
  EXPECT_EQ(with("[listener.est]\nhost = \"\""),
            "config.value :2: listener.est.host: must be a name or an address");
  EXPECT_EQ(with("[listener.est]\nhost = 7"),
            "config.type :2: listener.est.host: must be a string");
  EXPECT_EQ(refusal("listener = 1\n" + kStore + kToken),
            "config.type :1: listener: must be a table");
  EXPECT_EQ(refusal("[[listener.est]]\n" + kStore + kToken),
            "config.type :1: listener.est: must be a table");
}

TEST_F(ProcessConfigTest, TimesAndLevelsAreChecked) {
  const std::string whole = kListener + kStore + kToken;
  for (const char* value : {"\"\"", "\"5\"", "\"5h\"", "\"-5s\"", "\"s\"", "\"5 s\"", "-1", "1.5",
                            "true", "\"99999999999s\""}) {
    EXPECT_TRUE(refusal(whole + "[limits]\ndrain = " + value + "\n")
                    .starts_with("config.value :11: limits.drain: must be a time"))
        << value;
  }
  EXPECT_EQ(refusal(whole + "[limits]\ndrain = \"0s\"\n"),
            "config.value :11: limits.drain: must be longer than nothing");
  EXPECT_TRUE(refusal(whole + "[log]\nlevel = \"verbose\"\n").starts_with("config.value :11: "));
  EXPECT_TRUE(refusal(whole + "[limits]\nworkers = 0\n").starts_with("config.value :11: "));
}

TEST_F(ProcessConfigTest, TheManagementListenerIsChecked) {
  const auto with = [&](const std::string& line) {
    return refusal("[listener.management]\n" + line + "\n" + kListener + kStore + kToken);
  };
  const std::string name = " :2: listener.management.";
  EXPECT_EQ(with("enabled = 1"), "config.type" + name + "enabled: must be true or false");
  EXPECT_EQ(with("uids = 0"), "config.type" + name + "uids: must be a list of whole numbers");
  EXPECT_EQ(with("uids = [\"root\"]"), "config.type" + name + "uids: must be a whole number");
  for (const char* uid : {"-1", "4294967295"}) {
    EXPECT_TRUE(with("uids = [0, " + std::string(uid) + "]").starts_with("config.value" + name))
        << uid;
  }
  EXPECT_EQ(with("mode = 1"), "config.unknown_key" + name + "mode: unknown key");
  const std::string longest = "/" + std::string(106, 's');
  EXPECT_EQ(with("socket = \"" + longest + "\""), "accepted");
  EXPECT_EQ(with("socket = \"" + longest + "s\"").substr(0, 45),
            "config.value :2: listener.management.socket: ");
  EXPECT_EQ(with("enabled = false\nsocket = \"" + longest + "s\""), "accepted");
}

TEST_F(ProcessConfigTest, ASyntaxErrorHasItsLine) {
  EXPECT_TRUE(refusal(kListener + "x = = 1\n").starts_with("config.syntax :4: "));
  EXPECT_TRUE(refusal(kListener + kListener).starts_with("config.syntax :4: "));
}

TEST_F(ProcessConfigTest, AMissingFileIsNamed) {
  try {
    static_cast<void>(load_process_config(file, scratch.path()));
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.id(), "file.unreadable");
    EXPECT_NE(std::string(error.what()).find("estia.toml"), std::string::npos);
  }
}

}  // namespace
}  // namespace estia::app
