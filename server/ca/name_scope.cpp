// SPDX-License-Identifier: Apache-2.0
#include "server/ca/name_scope.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "crypto/base/error.h"

namespace estia::ca {
namespace {

using Kind = crypto::GeneralName::Kind;

[[noreturn]] void refuse(std::string_view term, std::string_view why) {
  throw Error(ErrorCode::config, "scope.invalid",
              "scope term '" + std::string(term) + "': " + std::string(why));
}

char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

enum class DotRule { star_crosses_dots, star_stops_at_dots };

/// Iterative glob with one backtrack point: linear times the number of stars, so a hostile name
/// cannot make it exponential.
bool glob_matches(std::string_view pattern, std::string_view text, DotRule dots) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && lower(pattern[p]) == lower(text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos &&
               (dots == DotRule::star_crosses_dots || text[resume] != '.')) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') {
    ++p;
  }
  return p == pattern.size();
}

/// Scheme and authority of a URI, and the rest.
std::pair<std::string_view, std::string_view> split_uri(std::string_view uri) {
  const std::size_t authority = uri.find("://");
  if (authority == std::string_view::npos) {
    return {uri, {}};
  }
  const std::size_t end = std::min(uri.find_first_of("/?#", authority + 3), uri.size());
  return {uri.substr(0, end), uri.substr(end)};
}

/// A star in the host of a pattern must not reach into what follows, nor take the host for
/// somebody's name: https://evil.example?.acme.example, https://acme.example@evil.example.
bool uri_matches(std::string_view pattern, std::string_view uri) {
  const auto [wanted, wanted_rest] = split_uri(pattern);
  if (wanted.size() == pattern.size() && pattern.find("://") == std::string_view::npos) {
    return glob_matches(pattern, uri, DotRule::star_crosses_dots);
  }
  const auto [authority, rest] = split_uri(uri);
  const bool odd = authority.find_first_of("@\\") != std::string_view::npos &&
                   wanted.find_first_of("@\\") == std::string_view::npos;
  return !odd && glob_matches(wanted, authority, DotRule::star_crosses_dots) &&
         glob_matches(wanted_rest, rest, DotRule::star_crosses_dots);
}

struct Address {
  std::array<std::uint8_t, 16> octets{};
  std::size_t size = 0;
};

std::optional<Address> parse_address(const std::string& text) {
  Address address;
  if (::inet_pton(AF_INET, text.c_str(), address.octets.data()) == 1) {
    address.size = 4;
    return address;
  }
  if (::inet_pton(AF_INET6, text.c_str(), address.octets.data()) == 1) {
    address.size = 16;
    return address;
  }
  return std::nullopt;
}

struct Network {
  Address address;
  unsigned prefix = 0;
};

std::optional<Network> parse_network(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = parse_address(std::string(text.substr(0, slash)));
  if (!address) {
    return std::nullopt;
  }
  Network network{*address, static_cast<unsigned>(address->size * 8)};
  if (slash != std::string_view::npos) {
    const std::string_view bits = text.substr(slash + 1);
    const auto [end, error] =
        std::from_chars(bits.data(), bits.data() + bits.size(), network.prefix);
    if (error != std::errc() || end != bits.data() + bits.size() ||
        network.prefix > address->size * 8) {
      return std::nullopt;
    }
  }
  return network;
}

bool network_contains(const Network& network, const Address& address) {
  if (network.address.size != address.size) {
    return false;
  }
  for (unsigned bit = 0; bit < network.prefix; ++bit) {
    const auto mask = static_cast<std::uint8_t>(0x80U >> (bit % 8));
    if ((network.address.octets[bit / 8] & mask) != (address.octets[bit / 8] & mask)) {
      return false;
    }
  }
  return true;
}

/// The kinds that a term can name; only "any" covers the others.
bool is_san_field(std::string_view field) {
  return field == "dns" || field == "ip" || field == "email" || field == "uri";
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') {
    text.remove_prefix(1);
  }
  while (!text.empty() && text.back() == ' ') {
    text.remove_suffix(1);
  }
  return text;
}

}  // namespace

NameScope NameScope::parse(std::string_view text) {
  NameScope scope;
  scope.text_ = std::string(trim(text));
  if (scope.text_ == "any") {
    scope.any_ = true;
    return scope;
  }
  std::string_view rest = scope.text_;
  while (!rest.empty()) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    const std::string_view term = trim(rest.substr(0, comma));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    const std::size_t equals = term.find('=');
    if (equals == std::string_view::npos || equals == 0 || equals + 1 == term.size()) {
      refuse(
          term,
          "expected FIELD=PATTERN, for example CN=device-* or dns=*.acme.example, or the word any");
    }
    Term parsed{std::string(term.substr(0, equals)), std::string(term.substr(equals + 1))};
    if (parsed.field == "ip" && !parse_network(parsed.pattern)) {
      refuse(term, "expected an address or a network such as 10.0.0.0/8");
    }
    if (!is_san_field(parsed.field)) {
      // Throws for an attribute type that does not exist: a misspelt field would silently allow
      // nothing.
      static_cast<void>(
          crypto::Name::from_text(parsed.field + "=" + (parsed.field == "C" ? "XX" : "x")));
    }
    scope.terms_.push_back(std::move(parsed));
  }
  if (scope.terms_.empty()) {
    refuse(scope.text_, "empty; write any if every name may be asked for");
  }
  return scope;
}

bool NameScope::allows_attribute(const crypto::NameAttribute& attribute) const {
  return std::any_of(terms_.begin(), terms_.end(), [&](const Term& term) {
    return !is_san_field(term.field) &&
           (term.field == attribute.short_name || term.field == attribute.oid) &&
           glob_matches(term.pattern, attribute.value, DotRule::star_crosses_dots);
  });
}

bool NameScope::allows_general_name(const crypto::GeneralName& name) const {
  const std::string_view field = crypto::to_string(name.kind);
  if (!is_san_field(field)) {
    return false;
  }
  return std::any_of(terms_.begin(), terms_.end(), [&](const Term& term) {
    if (term.field != field) {
      return false;
    }
    if (name.kind == Kind::ip) {
      const auto network = parse_network(term.pattern);
      const auto address = parse_address(name.text);
      return network && address && network_contains(*network, *address);
    }
    if (name.kind == Kind::uri) {
      return uri_matches(term.pattern, name.text);
    }
    const DotRule dots =
        name.kind == Kind::dns ? DotRule::star_stops_at_dots : DotRule::star_crosses_dots;
    return glob_matches(term.pattern, name.text, dots);
  });
}

std::optional<std::string> NameScope::outside(const crypto::Name& subject,
                                              const crypto::GeneralNames& san) const {
  if (any_) {
    return std::nullopt;
  }
  for (const crypto::NameAttribute& attribute : subject.attributes()) {
    if (!allows_attribute(attribute)) {
      return attribute.short_name + "=" + attribute.value;
    }
  }
  for (const crypto::GeneralName& name : san.names()) {
    if (!allows_general_name(name)) {
      return std::string(crypto::to_string(name.kind)) + "=" + name.text;
    }
  }
  return std::nullopt;
}

}  // namespace estia::ca
