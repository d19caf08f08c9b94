// SPDX-License-Identifier: Apache-2.0
#include "tests/store/fixture.h"

#include <sqlite3.h>
#include <stdlib.h>

#include <latch>
#include <stdexcept>
#include <thread>

#include "crypto/x509/name.h"

namespace estia::store::test {
namespace {

using Connection = std::unique_ptr<sqlite3, decltype(&::sqlite3_close)>;

Connection connect(const std::filesystem::path& path) {
  sqlite3* opened = nullptr;
  const int rc = ::sqlite3_open_v2(path.c_str(), &opened, SQLITE_OPEN_READWRITE, nullptr);
  Connection connection(opened, ::sqlite3_close);
  if (rc != SQLITE_OK) {
    throw std::runtime_error("cannot open " + path.string());
  }
  return connection;
}

std::string run_for_error(const std::function<void()>& action,
                          const std::function<std::string(const Error&)>& what) {
  try {
    action();
  } catch (const Error& error) {
    return what(error);
  }
  return {};
}

}  // namespace

Bytes serial_of(std::uint64_t number) {
  Bytes serial(20, 0x11);
  for (std::size_t i = 0; i < 8; ++i) {
    serial[19 - i] = static_cast<std::uint8_t>(number >> (8 * i));
  }
  return serial;
}

ca::Intent intent_of(std::uint64_t number) {
  const std::string name = "device-" + std::to_string(number);
  ca::Intent intent;
  intent.serial = serial_of(number);
  intent.ca = "issuing";
  intent.tbs = Bytes(600, static_cast<std::uint8_t>(number));
  intent.alias = "est";
  intent.operation = "simpleenroll";
  intent.profile = "device";
  intent.config_version = 1;
  intent.who = "account est/ra";
  intent.username = name;
  intent.subject = Bytes(name.begin(), name.end());
  intent.subject_text = "CN=" + name;
  intent.entity.rule = ca::EntityRule::create;
  intent.entity.end_entity_profile = "device";
  intent.entity.subject = crypto::Name::from_text("CN=" + name).der();
  intent.key_fingerprint = serial_of(number);
  intent.key_fingerprint.resize(32);
  intent.not_before = from_unix_seconds(1'700'000'000);
  intent.not_after = from_unix_seconds(1'731'536'000);
  return intent;
}

ca::AuditEvent event(const char* what, const Bytes& serial) {
  return {.at = from_unix_seconds(1'700'000'000),
          .who = "account est/ra",
          .what = what,
          .outcome = "ok",
          .object = to_hex(serial),
          .detail = "alias=est"};
}

Bytes certificate_of(const Bytes& serial) {
  Bytes certificate(700, 0x30);
  certificate.insert(certificate.end(), serial.begin(), serial.end());
  return certificate;
}

std::string error_id(const std::function<void()>& action) {
  return run_for_error(action, [](const Error& error) { return error.id(); });
}

std::string error_text(const std::function<void()>& action) {
  return run_for_error(action, [](const Error& error) { return std::string(error.what()); });
}

std::string error_category(const std::function<void()>& action) {
  return run_for_error(action,
                       [](const Error& error) { return std::string(to_string(error.code())); });
}

void in_threads(std::size_t count, const std::function<void(std::size_t)>& work) {
  std::latch start(static_cast<std::ptrdiff_t>(count));
  std::vector<std::thread> threads;
  threads.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    threads.emplace_back([&, i] {
      start.arrive_and_wait();
      work(i);
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
}

std::int64_t sql_integer(const std::filesystem::path& path, const std::string& sql) {
  return std::stoll(sql_text(path, sql));
}

std::string sql_text(const std::filesystem::path& path, const std::string& sql) {
  const Connection connection = connect(path);
  sqlite3_stmt* prepared = nullptr;
  if (::sqlite3_prepare_v2(connection.get(), sql.c_str(), -1, &prepared, nullptr) != SQLITE_OK) {
    throw std::runtime_error(::sqlite3_errmsg(connection.get()));
  }
  const std::unique_ptr<sqlite3_stmt, decltype(&::sqlite3_finalize)> statement(prepared,
                                                                               ::sqlite3_finalize);
  if (::sqlite3_step(prepared) != SQLITE_ROW) {
    throw std::runtime_error("no row: " + sql);
  }
  const unsigned char* text = ::sqlite3_column_text(prepared, 0);
  return text == nullptr ? "" : reinterpret_cast<const char*>(text);
}

void sql_run(const std::filesystem::path& path, const std::string& sql) {
  const Connection connection = connect(path);
  if (::sqlite3_exec(connection.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    throw std::runtime_error(std::string(::sqlite3_errmsg(connection.get())) + " in " + sql);
  }
}

StoreTest::StoreTest() {
  vfs_.reset();
  std::string name = (std::filesystem::temp_directory_path() / "estia-store-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    throw std::runtime_error("mkdtemp");
  }
  folder_ = name;
}

StoreTest::~StoreTest() {
  vfs_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::unique_ptr<Store> StoreTest::create(const StoreOptions& options) {
  return Store::create(path(), "node-1", clock_, options);
}

std::unique_ptr<Store> StoreTest::open(const StoreOptions& options) {
  return Store::open(path(), clock_, options);
}

void StoreTest::intend(Store& store, const ca::Intent& intent) {
  const auto outcome = store.registry().intend(intent, event("certificate.intent", intent.serial));
  ASSERT_TRUE(std::holds_alternative<ca::Recorded>(outcome));
}

Bytes StoreTest::commit(Store& store, const Bytes& serial) {
  return store.registry().commit(serial, certificate_of(serial),
                                 event("certificate.issued", serial));
}

}  // namespace estia::store::test
