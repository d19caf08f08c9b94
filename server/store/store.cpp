// SPDX-License-Identifier: Apache-2.0
#include "server/store/store.h"

#include <utility>

#include "crypto/base/random.h"
#include "server/store/audit_chain.h"
#include "server/store/configuration.h"
#include "server/store/decrypt_keys.h"
#include "server/store/end_entities.h"
#include "server/store/file_lock.h"
#include "server/store/opening.h"
#include "server/store/reader_pool.h"
#include "server/store/registry.h"
#include "server/store/writer.h"

namespace estia::store {
namespace {

constexpr std::size_t kBootIdOctets = 16;

Bytes new_boot_id() {
  Bytes id(kBootIdOctets);
  random_fill(id);
  return id;
}

class SqliteAuditLog final : public ca::AuditLog {
 public:
  explicit SqliteAuditLog(Writer& writer) : writer_(writer) {}
  void append(const ca::AuditEvent& event) override {
    writer_.transact([&](Transaction& transaction) { transaction.audit(event); });
  }
  void append(const std::vector<ca::AuditEvent>& events) override {
    writer_.transact([&](Transaction& transaction) {
      for (const ca::AuditEvent& event : events) {
        transaction.audit(event);
      }
    });
  }

 private:
  Writer& writer_;
};

std::unique_ptr<FileLock> lock_of(const std::filesystem::path& path) {
  return std::make_unique<FileLock>(path.string() + "-lock");
}

}  // namespace

/// Destroyed from the bottom up: readers close before the writer, which moves the log into the
/// database as the last connection, and the lock goes last of all.
struct Store::Parts {
  Parts(std::unique_ptr<FileLock> held, std::unique_ptr<Database> database,
        const std::filesystem::path& path, const Clock& clock, const StoreOptions& options)
      : lock(std::move(held)),
        node(database->text_of("SELECT node FROM meta")),
        writer(std::move(database), node, {options.queue_limit, options.checkpoint_pages}),
        readers(path, options.readers),
        registry(writer, readers, clock, new_boot_id()),
        audit_log(writer),
        configuration(writer, readers),
        end_entities(writer, readers),
        decrypt_keys(writer, readers) {}

  std::unique_ptr<FileLock> lock;
  std::string node;
  Writer writer;
  ReaderPool readers;
  SqliteRegistry registry;
  SqliteAuditLog audit_log;
  SqliteConfigurationStore configuration;
  SqliteEndEntityStore end_entities;
  SqliteDecryptKeyStore decrypt_keys;
};

std::unique_ptr<Store> Store::create(const std::filesystem::path& path,
                                     const std::string& node_name, const Clock& clock,
                                     const StoreOptions& options) {
  const std::filesystem::path file = without_links(path);
  auto lock = lock_of(file);
  auto database = create_database(file, node_name, clock);
  return std::unique_ptr<Store>(new Store(
      std::make_unique<Parts>(std::move(lock), std::move(database), file, clock, options)));
}

std::unique_ptr<Store> Store::open(const std::filesystem::path& path, const Clock& clock,
                                   const StoreOptions& options) {
  const std::filesystem::path file = without_links(path);
  require_own_file(file);
  auto lock = lock_of(file);
  auto database = open_database(file);
  return std::unique_ptr<Store>(new Store(
      std::make_unique<Parts>(std::move(lock), std::move(database), file, clock, options)));
}

Store::Store(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Store::~Store() = default;

ca::Registry& Store::registry() noexcept {
  return parts_->registry;
}
ca::AuditLog& Store::audit_log() noexcept {
  return parts_->audit_log;
}
ca::ConfigurationStore& Store::configuration() noexcept {
  return parts_->configuration;
}
ca::EndEntityStore& Store::end_entities() noexcept {
  return parts_->end_entities;
}
ca::DecryptKeyStore& Store::decrypt_keys() noexcept {
  return parts_->decrypt_keys;
}
const std::string& Store::node() const noexcept {
  return parts_->node;
}

std::uint64_t Store::verify_audit_chain() const {
  return parts_->readers.read([](Database& database) { return verify_audit_chains(database); });
}

StoreStats Store::stats() const {
  const Writer::Counts counts = parts_->writer.counts();
  return {.commits = counts.commits,
          .jobs = counts.jobs,
          .failures = counts.failures,
          .checkpoints = counts.checkpoints,
          .queued = counts.queued,
          .failed = counts.failed};
}

}  // namespace estia::store
