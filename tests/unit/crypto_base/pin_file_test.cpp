// SPDX-License-Identifier: Apache-2.0
#include "crypto/base/pin_file.h"

#include <gtest/gtest.h>

#include "crypto/base/error.h"
#include "crypto/base/file.h"
#include "tests/support/scratch_directory.h"

namespace estia {
namespace {

class PinFile : public ::testing::Test {
 protected:
  /// The PIN, or the id of the refusal, from each of the two.
  [[nodiscard]] std::string of_file(const std::string& contents) const {
    replace_file(path_, contents, FileMode::secret);
    std::string got = read([this] { return read_pin_file(path_); });
    EXPECT_EQ(got, read([this] { return read_pin_credential(path_); }));
    return got;
  }

 private:
  template <class Read>
  [[nodiscard]] std::string read(Read&& how) const {
    try {
      return std::string(how().text());
    } catch (const Error& error) {
      const std::string said = std::string(error.what()).substr(path_.string().size());
      EXPECT_EQ(said.find_first_of("12345678"), std::string::npos) << "the PIN is told";
      return error.id();
    }
  }
  test::ScratchDirectory directory_;
  std::filesystem::path path_ = directory_.path() / "pin";
};

TEST_F(PinFile, IsOneLine) {
  EXPECT_EQ(of_file("1234"), "1234");
  EXPECT_EQ(of_file("1234\n"), "1234");
  EXPECT_EQ(of_file("1234\r\n"), "1234");
  EXPECT_EQ(of_file("12 34\n"), "12 34");
}

/// Found in review: an empty second line, or another one, went to the token, which counted a wrong
/// PIN.
TEST_F(PinFile, AnotherLineIsRefused) {
  for (const char* contents : {"1234\n\n", "1234\r\n\r\n", "1234\n5678\n", "\n1234", "12\r34"}) {
    EXPECT_EQ(of_file(contents), "file.secret_lines") << contents;
  }
}

TEST_F(PinFile, ABlankAtAnEndIsRefused) {
  for (const char* contents : {"1234 \n", "1234\t", " 1234\n", "\t1234", " "}) {
    EXPECT_EQ(of_file(contents), "file.secret_blank") << contents;
  }
  EXPECT_EQ(of_file("\n"), "file.secret_empty");
}

}  // namespace
}  // namespace estia
