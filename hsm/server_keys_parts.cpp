// SPDX-License-Identifier: Apache-2.0
#include "hsm/server_keys_parts.h"

#include <utility>

#include "hsm/objects.h"

namespace estia::hsm {
namespace {

bool is_rsa(const crypto::KeySpec& spec) {
  return spec.name.starts_with("RSA");
}

/// The rules that a client's own key must pass (RFC 7030 4.4 changes who makes it, no more).
void check_public_key(const crypto::PublicKey& made, const crypto::KeySpec& wanted) {
  const auto refuse = [](const std::string& why) {
    throw token_unavailable("token.key_weak",
                            "the token made a key that must not be certified: " + why);
  };
  if (made.spec() != wanted) {
    refuse("another kind than " + wanted.name);
  }
  try {
    made.check_strength();
  } catch (const Error& error) {
    refuse(error.detail());
  }
}

}  // namespace

std::map<std::string, std::size_t> ServerKeys::Parts::checked_stock(const ServerKeysLimits& limits,
                                                                    Stock stock) {
  std::map<std::string, std::size_t> possible;
  if (wrapper_.status().doubtful) {
    return possible;
  }
  for (const auto& [kind, depth] : limits.stock) {
    if (depth == 0 || wrapper_.can_export(crypto::KeySpec::parse(kind))) {
      possible.emplace(kind, depth);
      continue;
    }
    refused_stock_.emplace(ErrorCode::config, "serverkeygen.stock",
                           "the token does not let keys of the kind " + kind + " out",
                           wrapper_.status().refused);
    if (stock == Stock::as_wanted) {
      throw Error(*refused_stock_);
    }
  }
  return possible;
}

void ServerKeys::Parts::require(const crypto::KeySpec& spec) const {
  if (wrapper_.status().doubtful) {
    throw token_unavailable("token.failed", "whether keys leave it could not be found out: " +
                                                wrapper_.status().refused);
  }
  if (!wrapper_.can_export(spec)) {
    refuse_export(spec.name, wrapper_.status().refused);
  }
}

crypto::PublicKey ServerKeys::Parts::hand_out(const crypto::KeySpec& spec, const Export& way) {
  const ErrorQueueGuard queue;
  const Module::Use in_use(attached_->module(), attached_->generation());
  if (auto key = from_stock(spec, way)) {
    return std::move(*key);
  }
  const Gate::Pass pass(is_rsa(spec) ? counters_.rsa : counters_.others);
  return make(spec, way);
}

/// Of the lease's session, and gone before it is given back.
std::optional<KeyWrapper::ContentKey> ServerKeys::Parts::prepare(SessionPool::Lease& lease,
                                                                 const Export& way) const {
  std::optional<KeyWrapper::ContentKey> content_key;
  if (way.recipient != nullptr) {
    try {
      content_key.emplace(wrapper_.make_content_key(lease.handle(), *way.recipient));
    } catch (...) {
      lease.mark_broken();
      throw;
    }
  }
  return content_key;
}

/// Nothing where there is none; also when it turned out to be gone with its session.
std::optional<crypto::PublicKey> ServerKeys::Parts::from_stock(const crypto::KeySpec& spec,
                                                               const Export& way) {
  if (!stock_.has(spec)) {
    return std::nullopt;
  }
  const Gate::Pass pass(counters_.others);  // it takes no longer than one of these
  SessionPool::Lease lease = attached_->pool().borrow();
  auto content_key = prepare(lease, way);
  const auto taken = stock_.take(spec);
  if (!taken) {
    return std::nullopt;
  }
  try {
    PairGuard guard(attached_->module(), lease, taken->pair().objects);
    return deliver(guard, lease.handle(), spec, taken->pair().public_key, way, content_key);
  } catch (const std::exception& failure) {
    ++counters_.destroyed;
    lease.mark_broken();
    stock_.flush();  // its session may be lost; what could not be destroyed ends with it
    const auto* error = dynamic_cast<const Error*>(&failure);
    if (error != nullptr && error->id() == "token.handle_stale") {
      return std::nullopt;
    }
    throw;
  }
}

crypto::PublicKey ServerKeys::Parts::make(const crypto::KeySpec& spec, const Export& way) {
  SessionPool::Lease lease = attached_->pool().borrow();
  auto content_key = prepare(lease, way);
  bool made = false;
  try {
    PairGuard guard(attached_->module(), lease,
                    make_session_pair(attached_->module(), lease.handle(), spec));
    made = true;
    auto public_key =
        Objects(attached_->module(), lease.handle()).public_key(guard.pair().public_object);
    return deliver(guard, lease.handle(), spec, std::move(public_key), way, content_key);
  } catch (...) {
    counters_.destroyed += made ? 1 : 0;
    lease.mark_broken();
    throw;
  }
}

crypto::PublicKey ServerKeys::Parts::deliver(PairGuard& guard, CK_SESSION_HANDLE session,
                                             const crypto::KeySpec& spec,
                                             crypto::PublicKey public_key, const Export& way,
                                             std::optional<KeyWrapper::ContentKey>& content_key) {
  check_public_key(public_key, spec);
  way.take(session, guard.pair(), public_key, content_key);
  guard.destroy();
  ++counters_.delivered;
  return public_key;
}

ServerKeysStatus ServerKeys::Parts::status() const {
  const KeyWrapperStatus& found = wrapper_.status();
  const KeyPairPool::Counts stock = stock_.counts();
  std::uint64_t ready = 0;
  for (const auto& kind : stock.ready) {
    ready += kind.second;
  }
  return {.mechanism = found.mechanism,
          .wrapping_key = found.wrapping_key,
          .ed25519 = found.ed25519,
          .encryption = found.encryption,
          .refused = found.refused,
          .running = counters_.others.inside() + counters_.rsa.inside(),
          .stock = stock.ready,
          .stock_failure = stock.failure.empty() && refused_stock_
                               ? refused_stock_->id() + " " + refused_stock_->what()
                               : stock.failure,
          .delivered = counters_.delivered,
          .in_stock = ready,
          .destroyed = counters_.tried + counters_.destroyed};
}

}  // namespace estia::hsm
