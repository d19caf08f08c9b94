// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace estia::e2e {

/// What one request is answered: the status, and the id of the refusal ("" for none).
struct Expected {
  int status = 0;
  std::string id{};
  friend bool operator==(const Expected&, const Expected&) = default;
};

/// tests/data/authorisation-matrix.txt: written by hand, and only read here. The file explains its
/// form.
class MatrixTable final {
 public:
  /// Throws std::runtime_error, naming the line, for whatever is not understood: an unknown word, a
  /// row with too few or too many cells, an answer, alias or row that stands twice.
  [[nodiscard]] static MatrixTable read(const std::filesystem::path& file);
  [[nodiscard]] static MatrixTable parse(const std::string& text);

  [[nodiscard]] const std::vector<std::string>& operations() const { return operations_; }
  /// By kind of alias and credential; one cell for each operation, in their order.
  using Rows = std::map<std::pair<std::string, std::string>, std::vector<Expected>>;
  [[nodiscard]] const Rows& rows() const { return rows_; }

 private:
  void read_line(const std::vector<std::string>& words, std::string& kind);
  void read_row(const std::vector<std::string>& words, const std::string& kind);

  std::map<std::string, Expected> answers_;
  std::vector<std::string> operations_;
  Rows rows_;
};

}  // namespace estia::e2e
