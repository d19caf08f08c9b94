// SPDX-License-Identifier: Apache-2.0
#include "server/provision/line_diff.h"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace estia::provision {
namespace {

constexpr std::size_t kContext = 3;
constexpr std::size_t kMostCells = 16U << 20U;  // of the table below, 64 MiB

using Lines = std::vector<std::string_view>;

struct Step {
  char kind;  // ' ', '-' or '+'
  std::string_view line;
};

Lines split(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

void replace_whole(const Lines& before, const Lines& after, std::vector<Step>& steps) {
  for (const std::string_view line : before) {
    steps.push_back({'-', line});
  }
  for (const std::string_view line : after) {
    steps.push_back({'+', line});
  }
}

/// By the longest common subsequence.
void compare(const Lines& before, const Lines& after, std::vector<Step>& steps) {
  const std::size_t width = after.size() + 1;
  if ((before.size() + 1) * width > kMostCells) {
    replace_whole(before, after, steps);
    return;
  }
  // length[i][j]: what the ends of both from i and j on have in common.
  std::vector<std::uint32_t> length((before.size() + 1) * width);
  for (std::size_t i = before.size(); i-- > 0;) {
    for (std::size_t j = after.size(); j-- > 0;) {
      length[i * width + j] =
          before[i] == after[j] ? length[(i + 1) * width + j + 1] + 1
                                : std::max(length[(i + 1) * width + j], length[i * width + j + 1]);
    }
  }
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < before.size() || j < after.size()) {
    if (i < before.size() && j < after.size() && before[i] == after[j]) {
      steps.push_back({' ', before[i]});
      ++i;
      ++j;
    } else if (j == after.size() ||
               (i < before.size() && length[(i + 1) * width + j] >= length[i * width + j + 1])) {
      steps.push_back({'-', before[i++]});
    } else {
      steps.push_back({'+', after[j++]});
    }
  }
}

/// Equal lines at both ends need no table.
std::vector<Step> steps_between(const Lines& before, const Lines& after) {
  const std::size_t shorter = std::min(before.size(), after.size());
  std::size_t head = 0;
  while (head < shorter && before[head] == after[head]) {
    ++head;
  }
  std::size_t tail = 0;
  while (tail < shorter - head &&
         before[before.size() - 1 - tail] == after[after.size() - 1 - tail]) {
    ++tail;
  }
  const auto at = [](const Lines& lines, std::size_t place) {
    return lines.begin() + static_cast<std::ptrdiff_t>(place);
  };
  std::vector<Step> steps;
  for (std::size_t i = 0; i < head; ++i) {
    steps.push_back({' ', before[i]});
  }
  compare(Lines(at(before, head), at(before, before.size() - tail)),
          Lines(at(after, head), at(after, after.size() - tail)), steps);
  for (std::size_t i = before.size() - tail; i < before.size(); ++i) {
    steps.push_back({' ', before[i]});
  }
  return steps;
}

bool is_change(const Step& step) noexcept {
  return step.kind != ' ';
}

/// "12,4" in a hunk's heading: where it begins and how many lines it has there.
std::string range(std::size_t lines_before, std::size_t count) {
  return std::to_string(count == 0 ? lines_before : lines_before + 1) + "," + std::to_string(count);
}

std::size_t count_without(const std::vector<Step>& steps, std::size_t from, std::size_t to,
                          char kind) {
  std::size_t count = 0;
  for (std::size_t i = from; i < to; ++i) {
    count += steps[i].kind == kind ? 0U : 1U;
  }
  return count;
}

}  // namespace

std::string line_diff(std::string_view before, std::string_view after) {
  const std::vector<Step> steps = steps_between(split(before), split(after));
  std::string text;
  std::size_t old_lines = 0;
  std::size_t new_lines = 0;
  std::size_t done = 0;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (!is_change(steps[i])) {
      continue;
    }
    const std::size_t begin = std::max(done, i - std::min(i, kContext));
    std::size_t last = i;
    for (std::size_t k = i; k < steps.size() && k <= last + 2 * kContext; ++k) {
      last = is_change(steps[k]) ? k : last;
    }
    const std::size_t end = std::min(last + kContext + 1, steps.size());
    old_lines += count_without(steps, done, begin, '+');
    new_lines += count_without(steps, done, begin, '-');
    const std::size_t old_count = count_without(steps, begin, end, '+');
    const std::size_t new_count = count_without(steps, begin, end, '-');
    text += "@@ -" + range(old_lines, old_count) + " +" + range(new_lines, new_count) + " @@\n";
    for (std::size_t k = begin; k < end; ++k) {
      text += steps[k].kind + std::string(steps[k].line) + "\n";
    }
    old_lines += old_count;
    new_lines += new_count;
    done = end;
    i = end - 1;
  }
  return text;
}

}  // namespace estia::provision
