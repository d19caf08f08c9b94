// SPDX-License-Identifier: Apache-2.0
// Who may do what where: every cell of tests/data/authorisation-matrix.txt, asked of the real
// estiad over TLS (T7). The table is written by hand; nothing here computes what should come out.
#include <algorithm>
#include <chrono>
#include <fstream>
#include <iostream>
#include <set>
#include <thread>

#include "crypto/base/file.h"
#include "tests/e2e/support/matrix_site.h"
#include "tests/e2e/support/matrix_table.h"
#include "tests/support/paths.h"

namespace estia::e2e {
namespace {

/// What a column of the table sends.
struct Operation {
  std::string name;
  std::string method;
  std::string path;
  enum class Ask { nothing, own, others, outside } ask = Ask::nothing;
};

const std::vector<Operation>& known_operations() {
  using Ask = Operation::Ask;
  static const std::vector<Operation> operations{
      {"cacerts", "GET", "cacerts"},
      {"enroll-own", "POST", "simpleenroll", Ask::own},
      {"enroll-others", "POST", "simpleenroll", Ask::others},
      {"enroll-outside", "POST", "simpleenroll", Ask::outside},
      {"reenroll-own", "POST", "simplereenroll", Ask::own},
      {"reenroll-others", "POST", "simplereenroll", Ask::others},
      {"serverkeygen", "POST", "serverkeygen", Ask::own},
      {"csrattrs", "GET", "csrattrs"},
      {"fullcmc", "POST", "fullcmc", Ask::own},
      {"unknown", "POST", "simplerevoke", Ask::own},
      {"delete", "DELETE", "simpleenroll"},
  };
  return operations;
}

bool enrols(const Operation& operation) {
  return operation.path == "simpleenroll" ? operation.method == "POST"
                                          : operation.path == "simplereenroll";
}

std::string bytes_of(const Operation& operation, const MatrixAlias& alias,
                     const MatrixCredential& credential, const std::string& body) {
  std::string head = operation.method + " /.well-known/est/" + alias.name + "/" + operation.path +
                     " HTTP/1.1\r\nHost: localhost\r\n";
  if (!credential.authorization.empty()) {
    head += "Authorization: " + credential.authorization + "\r\n";
  }
  if (operation.ask != Operation::Ask::nothing) {
    head += "Content-Type: application/pkcs10\r\nContent-Length: " + std::to_string(body.size()) +
            "\r\n";
  }
  return head + "\r\n" + body;
}

/// One field of a line of the log.
std::string field(const std::string& line, const std::string& name) {
  const std::size_t at = line.find(" " + name + "=");
  const std::size_t begin = at + name.size() + 2;
  return at == std::string::npos ? "" : line.substr(begin, line.find(' ', begin) - begin);
}

/// The requests that the server logged, in their order.
class RequestLog final {
 public:
  explicit RequestLog(const std::filesystem::path& file) : in_(file) {}
  /// Reads to the line of the request of that number: the next one, which another worker answers,
  /// may be logged before it otherwise.
  void catch_up(int number) {
    if (read_ < number) {
      static_cast<void>(line(number));
    }
  }
  /// The line of the request of this number, from 1 and upwards; waits, since a request is logged
  /// once its answer is sent.
  std::string line(int number) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (std::chrono::steady_clock::now() < limit) {
      char c = 0;
      if (!in_.get(c)) {
        in_.clear();
        std::this_thread::sleep_for(std::chrono::microseconds(200));
      } else if (c != '\n') {
        line_ += c;
      } else if (const std::string line = std::exchange(line_, "");
                 line.find("http.request ") != std::string::npos &&
                 field(line, "path").starts_with("/.well-known/est/") && ++read_ == number) {
        return line;
      }
    }
    throw std::runtime_error("the request is not in the log");
  }

 private:
  std::ifstream in_;
  std::string line_;
  int read_ = 0;
};

class AuthorisationMatrix : public MatrixSite {
 protected:
  void ask(const MatrixAlias& alias, const std::string& name, const Operation& operation,
           const Expected& expected);
  /// What `estia explain` says of it.
  [[nodiscard]] nlohmann::json explain(const MatrixAlias& alias, const MatrixCredential& credential,
                                       const Operation& operation, const std::string& body);
  void check_certificate(const MatrixAlias& alias, const MatrixCredential& credential,
                         const MatrixNames& names, const MatrixRequest& request,
                         const crypto::Certificate& certificate);
  static void check_explanation(const nlohmann::json& told, int status, const std::string& id);
  MatrixNames wish(const MatrixAlias& alias, const MatrixCredential& credential,
                   const Operation& operation) {
    switch (operation.ask) {
      case Operation::Ask::others:
        return others(alias);
      case Operation::Ask::outside:
        return {.subject = "CN=" + new_name("elsewhere-")};
      case Operation::Ask::nothing:
      case Operation::Ask::own:
        break;
    }
    return credential.own;
  }
  [[nodiscard]] int recorded() const {
    return std::stoi(installation.query("SELECT count(*) FROM certificate"));
  }

  RequestLog log_{server->err_file()};
  int cells_ = 0;
  int explained_ = 0;
  int issued_ = 0;
};

nlohmann::json AuthorisationMatrix::explain(const MatrixAlias& alias,
                                            const MatrixCredential& credential,
                                            const Operation& operation, const std::string& body) {
  nlohmann::json question{{"alias", alias.name}, {"operation", operation.path}, {"csr", body}};
  if (credential.identity != nullptr) {
    std::string pem;
    for (const crypto::Certificate& each : credential.identity->chain) {
      pem += each.to_pem();
    }
    question["certificates"] = pem;
  }
  if (!credential.user.empty()) {
    question["user"] = credential.user;
    question["password"] = credential.password;
  }
  ++explained_;
  return management->post_ok("/explain", question);
}

void AuthorisationMatrix::check_certificate(const MatrixAlias& alias,
                                            const MatrixCredential& credential,
                                            const MatrixNames& names, const MatrixRequest& request,
                                            const crypto::Certificate& certificate) {
  // The registration decides where there is one.
  const MatrixNames& granted = alias.client_mode ? credential.own : names;
  EXPECT_TRUE(certificate.subject().matches(crypto::Name::from_text(granted.subject)))
      << certificate.subject().text() << " instead of " << granted.subject;
  EXPECT_EQ(certificate.public_key(), request.key);
  const bool authority =
      credential.identity != nullptr && alias.client_mode &&
      credential.identity->chain.front().has_extended_key_usage(crypto::oid::kCmcRa);
  EXPECT_EQ(certificate.has_extended_key_usage(crypto::oid::kCmcRa), authority)
      << "only an authority that renews itself stays one";
}

void AuthorisationMatrix::ask(const MatrixAlias& alias, const std::string& name,
                              const Operation& operation, const Expected& expected) {
  SCOPED_TRACE(alias.name + ", " + name + ", " + operation.name);
  const MatrixCredential credential =
      present(alias, name, alias.takes_vendors && enrols(operation));
  const MatrixNames names = wish(alias, credential, operation);
  const MatrixRequest request = make_request(alias, credential, names);
  const std::string body =
      operation.ask == Operation::Ask::nothing ? "" : base64_encode(request.csr);
  nlohmann::json told;
  const bool explainable = credential.authorization.empty() || !credential.user.empty();
  if (enrols(operation) && explainable) {
    told = explain(alias, credential, operation, body);
  }

  log_.catch_up(exchanges());
  const auto answer = exchange(credential.identity, bytes_of(operation, alias, credential, body));
  const std::string line = log_.line(exchanges());
  const std::string id = field(line, "id");
  EXPECT_EQ(answer.status, expected.status) << line;
  EXPECT_EQ(id, expected.id.empty() ? "-" : expected.id) << line;
  ++cells_;
  if (enrols(operation) && answer.status == 200) {
    ++issued_;
    check_certificate(alias, credential, names, request, issued(answer));
  }
  if (!told.is_null()) {
    check_explanation(told, answer.status, id);
  }
}

/// Nobody can tell without the connection whether a channel binding is right.
void AuthorisationMatrix::check_explanation(const nlohmann::json& told, int status,
                                            const std::string& id) {
  const nlohmann::json& refusal = told.at("refusal");
  if (id == "linking.mismatch") {
    EXPECT_EQ(told.at("channel_binding"), "present, not checked");
    return;
  }
  EXPECT_EQ(told.at("outcome"), status == 200 ? "issued" : "refused") << told.dump(2);
  if (refusal.is_null()) {
    return;
  }
  EXPECT_EQ(refusal.at("id"), id) << told.dump(2);
  EXPECT_EQ(refusal.at("status"), status) << told.dump(2);
}

MatrixTable table() {
  return MatrixTable::read(test::data_directory() / "authorisation-matrix.txt");
}

/// Every kind of alias, credential and operation that is known here has its cells, and no other.
TEST(AuthorisationMatrixTable, IsComplete) {
  std::set<std::pair<std::string, std::string>> known;
  for (const MatrixAlias& alias : matrix_aliases()) {
    for (const std::string& credential : alias.credentials) {
      EXPECT_TRUE(known.emplace(alias.name, credential).second) << alias.name << credential;
    }
  }
  std::set<std::pair<std::string, std::string>> written;
  const MatrixTable matrix = table();
  for (const auto& [row, cells] : matrix.rows()) {
    written.insert(row);
    EXPECT_EQ(cells.size(), known_operations().size());
    EXPECT_TRUE(known.contains(row)) << "nobody asks this row: " << row.first << " " << row.second;
  }
  for (const auto& row : known) {
    EXPECT_TRUE(written.contains(row)) << "no row for " << row.first << " " << row.second;
  }
  std::vector<std::string> names;
  for (const Operation& operation : known_operations()) {
    names.push_back(operation.name);
  }
  EXPECT_EQ(matrix.operations(), names);
}

/// A table with a fault is refused, not read in part.
TEST(AuthorisationMatrixTable, ATableWithAFaultIsNotRead) {
  const std::string good = "answer ok 200\nanswer no 404 route.unknown\noperations a b\nalias x\n";
  EXPECT_EQ(MatrixTable::parse(good + "none ok no  # a comment\n").rows().size(), 1U);
  for (const std::string bad :
       {"none ok\n", "none ok no ok\n", "none ok maybe\n", "none ok no\nnone ok no\n",
        "none ok no\nalias x\n", "answer ok 200\n", "answer bad 403\n", "answer bad 200 x.y\n",
        "answer bad fine\n", "operations a b\n", "alias\n", "none\n"}) {
    EXPECT_THROW(static_cast<void>(MatrixTable::parse(good + bad)), std::runtime_error) << bad;
  }
  EXPECT_THROW(static_cast<void>(MatrixTable::parse("none ok no\n")), std::runtime_error);
}

TEST_F(AuthorisationMatrix, EveryCellIsAnsweredAsTheTableSays_T7) {
  const MatrixTable matrix = table();
  ASSERT_EQ(matrix.operations().size(), known_operations().size());
  const int recorded_before = recorded();
  for (const MatrixAlias& alias : matrix_aliases()) {
    for (const std::string& credential : alias.credentials) {
      const auto row = matrix.rows().find({alias.name, credential});
      ASSERT_NE(row, matrix.rows().end()) << alias.name << " " << credential;
      for (std::size_t i = 0; i < known_operations().size(); ++i) {
        ask(alias, credential, known_operations()[i], row->second.at(i));
      }
    }
  }
  EXPECT_EQ(cells_, static_cast<int>(matrix.rows().size() * known_operations().size()));
  EXPECT_EQ(recorded() - recorded_before, issued_ + spent_codes()) << "who was refused got nothing";
  std::cout << "authorisation matrix: " << cells_ << " of "
            << matrix.rows().size() * known_operations().size() << " cells in "
            << matrix.rows().size() << " rows, " << issued_ << " issued, " << explained_
            << " explained beforehand\n";
}

}  // namespace
}  // namespace estia::e2e
