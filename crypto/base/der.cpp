// SPDX-License-Identifier: Apache-2.0
#include "crypto/base/der.h"

#include <algorithm>
#include <charconv>

#include "crypto/base/error.h"

namespace estia::der {
namespace {

constexpr std::uint8_t kTagBoolean = 0x01;
constexpr std::uint8_t kTagInteger = 0x02;
constexpr std::uint8_t kTagBitString = 0x03;
constexpr std::uint8_t kTagOctetString = 0x04;
constexpr std::uint8_t kTagNull = 0x05;
constexpr std::uint8_t kTagOid = 0x06;
constexpr std::uint8_t kTagSequence = 0x30;
constexpr std::uint8_t kTagSet = 0x31;
constexpr std::uint8_t kConstructed = 0x20;
constexpr std::uint8_t kClass = 0xC0;  // both bits clear: universal

[[noreturn]] void refuse(const char* why) {
  throw Error(ErrorCode::malformed, "der.malformed", "the data is not valid DER", why);
}

void append_arc(Bytes& out, std::uint64_t arc) {
  Bytes groups;
  do {
    groups.push_back(static_cast<std::uint8_t>((arc & 0x7FU) | (groups.empty() ? 0U : 0x80U)));
    arc >>= 7U;
  } while (arc != 0);
  out.insert(out.end(), groups.rbegin(), groups.rend());
}

std::vector<std::uint64_t> parse_arcs(std::string_view dotted) {
  std::vector<std::uint64_t> arcs;
  const char* at = dotted.data();
  const char* const end = at + dotted.size();
  while (at != end) {
    std::uint64_t arc = 0;
    const auto [next, error] = std::from_chars(at, end, arc);
    const bool leading_zero = next - at > 1 && *at == '0';
    const bool more = next != end;
    if (error != std::errc() || leading_zero || (more && (*next != '.' || next + 1 == end))) {
      return {};
    }
    arcs.push_back(arc);
    at = more ? next + 1 : next;
  }
  return arcs;
}

std::size_t read_length(ByteView input, std::size_t& at) {
  if (at >= input.size()) {
    refuse("length missing");
  }
  const std::uint8_t first = input[at++];
  if (first < 0x80) {
    return first;
  }
  const std::size_t count = first & 0x7FU;
  if (count == 0 || count > 4 || input.size() - at < count) {
    refuse("indefinite, over-long or truncated length");
  }
  std::size_t length = 0;
  for (std::size_t i = 0; i < count; ++i) {
    length = (length << 8U) | input[at++];
  }
  const bool minimal = length >= 0x80 && (length >> (8 * (count - 1))) != 0;
  if (!minimal) {
    refuse("length not minimal");
  }
  return length;
}

bool is_constructed(std::uint8_t tag) {
  return (tag & kConstructed) != 0;
}

/// The universal types that DER encodes as elements: SEQUENCE, SET, EXTERNAL, EMBEDDED PDV. All
/// others are primitive (X.690 10.2).
bool has_elements(std::uint8_t tag) {
  const unsigned number = tag & 0x1FU;
  return number == 0x10 || number == 0x11 || number == 0x08 || number == 0x0B;
}

void check_elements(ByteView content, unsigned depth_left, std::size_t max_oid) {
  if (depth_left == 0) {
    refuse("nested too deeply");
  }
  while (!content.empty()) {
    const Element element = read(content);
    if (element.tag == kTagOid && element.value.size() > max_oid) {
      refuse("object identifier too long");
    }
    if (is_constructed(element.tag)) {
      check_elements(element.value, depth_left - 1, max_oid);
    }
  }
}

}  // namespace

Bytes header(std::uint8_t tag, std::size_t length) {
  if (length < 0x80) {
    return {tag, static_cast<std::uint8_t>(length)};
  }
  Bytes octets;
  for (std::size_t rest = length; rest != 0; rest >>= 8U) {
    octets.push_back(static_cast<std::uint8_t>(rest & 0xFFU));
  }
  Bytes out{tag, static_cast<std::uint8_t>(0x80U | octets.size())};
  out.insert(out.end(), octets.rbegin(), octets.rend());
  return out;
}

Bytes tlv(std::uint8_t tag, ByteView value) {
  Bytes out = header(tag, value.size());
  out.insert(out.end(), value.begin(), value.end());
  return out;
}

Bytes sequence(std::initializer_list<ByteView> elements) {
  Bytes content;
  for (const ByteView element : elements) {
    content.insert(content.end(), element.begin(), element.end());
  }
  return tlv(kTagSequence, content);
}

Bytes set_of(std::vector<Bytes> elements) {
  // As text, whose order is that of unsigned bytes too: GCC 14 warns about sorting the vectors
  // themselves.
  std::sort(elements.begin(), elements.end(),
            [](const Bytes& a, const Bytes& b) { return as_text(a) < as_text(b); });
  Bytes content;
  for (const Bytes& element : elements) {
    content.insert(content.end(), element.begin(), element.end());
  }
  return tlv(kTagSet, content);
}

Bytes oid(std::string_view dotted) {
  const std::vector<std::uint64_t> arcs = parse_arcs(dotted);
  if (arcs.size() < 2 || arcs[0] > 2 || (arcs[0] < 2 && arcs[1] > 39) ||
      arcs[1] > UINT64_MAX - 80) {
    throw Error(ErrorCode::config, "oid.invalid",
                "not an object identifier: " + std::string(dotted));
  }
  Bytes content;
  append_arc(content, arcs[0] * 40 + arcs[1]);
  for (std::size_t i = 2; i < arcs.size(); ++i) {
    append_arc(content, arcs[i]);
  }
  return tlv(kTagOid, content);
}

Bytes null() {
  return tlv(kTagNull, {});
}

Bytes boolean(bool value) {
  const std::uint8_t octet = value ? 0xFF : 0x00;
  return tlv(kTagBoolean, {&octet, 1});
}

Bytes small_integer(std::uint32_t value) {
  Bytes magnitude;
  for (int shift = 24; shift >= 0; shift -= 8) {
    magnitude.push_back(static_cast<std::uint8_t>(value >> static_cast<unsigned>(shift)));
  }
  return integer(magnitude);
}

Bytes integer(ByteView big_endian_magnitude) {
  while (!big_endian_magnitude.empty() && big_endian_magnitude.front() == 0) {
    big_endian_magnitude = big_endian_magnitude.subspan(1);
  }
  Bytes content;
  if (big_endian_magnitude.empty() || (big_endian_magnitude.front() & 0x80U) != 0) {
    content.push_back(0);
  }
  content.insert(content.end(), big_endian_magnitude.begin(), big_endian_magnitude.end());
  return tlv(kTagInteger, content);
}

Bytes octet_string(ByteView value) {
  return tlv(kTagOctetString, value);
}

Bytes bit_string(ByteView value) {
  Bytes content{0};  // no unused bits
  content.insert(content.end(), value.begin(), value.end());
  return tlv(kTagBitString, content);
}

Element read(ByteView& input) {
  if (input.empty()) {
    refuse("empty");
  }
  Element element;
  element.tag = input[0];
  if ((element.tag & 0x1FU) == 0x1FU || element.tag == 0) {
    refuse("multi-octet tag or end-of-contents");
  }
  if ((element.tag & kClass) == 0 && is_constructed(element.tag) != has_elements(element.tag)) {
    refuse("a string in pieces, or a SEQUENCE or SET that is not constructed");
  }
  std::size_t at = 1;
  const std::size_t length = read_length(input, at);
  if (input.size() - at < length) {
    refuse("truncated");
  }
  element.value = input.subspan(at, length);
  element.whole = input.first(at + length);
  input = input.subspan(at + length);
  return element;
}

void check_structure(ByteView der, unsigned max_depth, std::size_t max_oid) {
  ByteView rest = der;
  const Element outer = read(rest);
  if (!rest.empty()) {
    refuse("trailing bytes");
  }
  if (outer.tag == kTagOid && outer.value.size() > max_oid) {
    refuse("object identifier too long");
  }
  if (is_constructed(outer.tag)) {
    check_elements(outer.value, max_depth, max_oid);
  }
}

}  // namespace estia::der
