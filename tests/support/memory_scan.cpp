// SPDX-License-Identifier: Apache-2.0
#include "tests/support/memory_scan.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace estia::test {
namespace {

constexpr std::size_t kWindow = std::size_t{1} << 20U;
constexpr std::uintptr_t kSanitizersOwn = std::uintptr_t{1} << 30U;

struct Region {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
};

std::vector<Region> writable_regions(const std::string& process) {
  std::ifstream maps("/proc/" + process + "/maps");
  std::vector<Region> regions;
  for (std::string line; std::getline(maps, line);) {
    Region region;
    std::array<char, 5> access{};
    if (std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR " %4s", &region.begin, &region.end,
                    access.data()) == 3 &&
        std::string_view(access.data()).starts_with("rw") &&
        region.end - region.begin <= kSanitizersOwn) {
      regions.push_back(region);
    }
  }
  return regions;
}

/// Where memory is copied to; not itself looked at, and wiped in the end.
class Window final {
 public:
  explicit Window(const std::string& process)
      : descriptor_(::open(("/proc/" + process + "/mem").c_str(), O_RDONLY | O_CLOEXEC)),
        memory_(
            ::mmap(nullptr, kWindow, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
    if (descriptor_ < 0 || memory_ == MAP_FAILED) {
      throw std::runtime_error("cannot look at the memory of process " + process);
    }
  }
  ~Window() {
    ::munmap(memory_, kWindow);
    ::close(descriptor_);
  }
  Window(const Window&) = delete;
  Window& operator=(const Window&) = delete;
  Window(Window&&) = delete;
  Window& operator=(Window&&) = delete;

  [[nodiscard]] ByteView read(std::uintptr_t from, std::size_t size) {
    const ssize_t got =
        ::pread(descriptor_, memory_, std::min(size, kWindow), static_cast<off_t>(from));
    return {static_cast<const std::uint8_t*>(memory_), got < 0 ? 0 : static_cast<std::size_t>(got)};
  }
  [[nodiscard]] Region own() const noexcept {
    const auto begin = reinterpret_cast<std::uintptr_t>(memory_);
    return {begin, begin + kWindow};
  }

 private:
  int descriptor_;
  void* memory_;
};

bool is_at(const std::uint8_t* text, const Bytes& inverted) {
  for (std::size_t i = 0; i < inverted.size(); ++i) {
    if ((text[i] ^ inverted[i]) != 0xFF) {
      return false;
    }
  }
  return true;
}

/// Calls `seen` with each address.
template <class Seen>
void look_in(Window& window, Region region, const Bytes& inverted, Seen&& seen) {
  const int first = ~inverted.front() & 0xFF;
  while (region.end - region.begin >= inverted.size()) {
    const ByteView text = window.read(region.begin, region.end - region.begin);
    if (text.size() < inverted.size()) {
      return;
    }
    const std::size_t positions = text.size() - inverted.size() + 1;
    const std::uint8_t* const end = text.data() + positions;
    // By memchr: under a sanitizer a loop of ours over all of memory takes minutes.
    for (const std::uint8_t* at = text.data();; ++at) {
      at = static_cast<const std::uint8_t*>(
          at == end ? nullptr : std::memchr(at, first, static_cast<std::size_t>(end - at)));
      if (at == nullptr) {
        break;
      }
      if (is_at(at, inverted)) {
        seen(region.begin + static_cast<std::uintptr_t>(at - text.data()));
      }
    }
    region.begin += positions;
  }
}

/// The kernel merges neighbouring maps: the window may be a part of one.
std::vector<Region> without(const Region& region, const Region& hole) {
  return {{region.begin, std::clamp(hole.begin, region.begin, region.end)},
          {std::clamp(hole.end, region.begin, region.end), region.end}};
}

void require_length(const Needle& needle) {
  if (needle.inverted().size() < 8) {
    throw std::runtime_error("too short to be found by its value");
  }
}

}  // namespace

Needle::Needle(ByteView secret) {
  for (const std::uint8_t byte : secret) {
    inverted_.push_back(static_cast<std::uint8_t>(~byte));
  }
}

Needle Needle::reversed(ByteView secret) {
  Needle needle(secret);
  std::ranges::reverse(needle.inverted_);
  return needle;
}

Needle Needle::in_base64(ByteView whole, std::size_t at, std::size_t size) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  Needle needle;
  for (std::size_t i = (at + 2) / 3 * 3; i + 3 <= at + size; i += 3) {
    const unsigned group = static_cast<unsigned>(whole[i]) << 16U |
                           static_cast<unsigned>(whole[i + 1]) << 8U | whole[i + 2];
    for (const unsigned shift : {18U, 12U, 6U, 0U}) {
      needle.inverted_.push_back(static_cast<std::uint8_t>(~kAlphabet[group >> shift & 63U]));
    }
  }
  return needle;
}

Needle Needle::of_inverted(Bytes inverted) {
  Needle needle;
  needle.inverted_ = std::move(inverted);
  return needle;
}

Sightings look_for(const Needle& needle) {
  require_length(needle);
  Window window("self");
  Sightings sightings;
  const auto seen = [&](std::uintptr_t place) {
    const bool secure = ::CRYPTO_secure_allocated(reinterpret_cast<const void*>(place)) == 1;
    ++(secure ? sightings.secure_heap : sightings.elsewhere);
  };
  for (const Region& region : writable_regions("self")) {
    for (const Region& part : without(region, window.own())) {
      look_in(window, part, needle.inverted(), seen);
    }
  }
  return sightings;
}

std::size_t count_in(pid_t process, const Needle& needle) {
  require_length(needle);
  Window window(std::to_string(process));
  std::size_t count = 0;
  for (const Region& region : writable_regions(std::to_string(process))) {
    look_in(window, region, needle.inverted(), [&](std::uintptr_t) { ++count; });
  }
  return count;
}

}  // namespace estia::test
