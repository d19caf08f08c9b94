// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/support/est_client.h"

#include <algorithm>
#include <atomic>
#include <stdexcept>

#include "crypto/base/bytes.h"
#include "crypto/base/file.h"

namespace estia::e2e {
namespace {

std::string lower(std::string text) {
  for (char& c : text) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  }
  return text;
}

std::string read_if_there(const std::filesystem::path& file) {
  return std::filesystem::exists(file) ? read_file(file) : std::string();
}

}  // namespace

std::string Answer::header(const std::string& name) const {
  std::string value;
  for (std::size_t at = 0; at < headers.size();) {
    const std::size_t end = std::min(headers.find("\r\n", at), headers.size());
    const std::string line = headers.substr(at, end - at);
    if (lower(line).starts_with(lower(name) + ":")) {
      value = line.substr(std::min(line.find_first_not_of(' ', name.size() + 1), line.size()));
    }
    at = end + 2;
  }
  return value;
}

std::filesystem::path EstClient::new_file(const std::string& suffix) const {
  static std::atomic<int> number = 0;
  return installation_.directory() / ("file-" + std::to_string(++number) + suffix);
}

Answer EstClient::request(const std::string& operation,
                          const std::vector<std::string>& arguments) const {
  const std::filesystem::path headers = new_file(".headers");
  const std::filesystem::path body = new_file(".body");
  std::vector<std::string> command{"curl",      "-q",
                                   "-sS",       "--noproxy",
                                   "*",         "--max-time",
                                   "40",        "--path-as-is",
                                   "--cacert",  installation_.ca_bundle().string(),
                                   "-D",        headers.string(),
                                   "-o",        body.string(),
                                   "-w",        "%{http_code} %{num_connects}",
                                   "--resolve", "localhost:" + server_.port() + ":127.0.0.1"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  command.push_back(server_.url(operation));
  const Finished finished = run(command, installation_.directory());
  Answer answer;
  answer.headers = read_if_there(headers);
  answer.body = read_if_there(body);
  answer.error = finished.err;
  answer.status = std::stoi(finished.out);
  answer.connections = std::stoi(finished.out.substr(finished.out.find(' ')));
  return answer;
}

Answer EstClient::post(const std::string& operation, const std::string& body,
                       std::vector<std::string> arguments) const {
  const std::filesystem::path file = new_file(".request");
  write_new_file(file, body, FileMode::secret);
  arguments.insert(arguments.end(), {"--data-binary", "@" + file.string(), "-H",
                                     "Content-Type: application/pkcs10"});
  return request(operation, arguments);
}

std::vector<std::string> EstClient::as_ra() const {
  return as_user(installation_.user(), installation_.password());
}

std::vector<std::string> EstClient::as_user(const std::string& user,
                                            const std::string& password) const {
  const std::filesystem::path file = new_file(".curl");
  write_new_file(file, "user = \"" + user + ":" + password + "\"\n", FileMode::secret);
  return {"-K", file.string()};
}

std::vector<std::string> EstClient::as_device(const Device& device) {
  return {"--cert", device.certificate.string(), "--key", device.key.string()};
}

Device EstClient::make_device(const std::string& subject, const std::string& san,
                              const std::string& algorithm) const {
  Device device;
  device.key = new_file(".key");
  if (algorithm.starts_with("RSA-")) {
    openssl({"genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt",
             "rsa_keygen_bits:" + algorithm.substr(4), "-out", device.key.string()});
  } else if (algorithm == "Ed25519") {
    openssl({"genpkey", "-algorithm", "ED25519", "-out", device.key.string()});
  } else {
    openssl({"genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:" + algorithm, "-out",
             device.key.string()});
  }
  make_csr(device, subject, san);
  return device;
}

Device EstClient::make_device_with_challenge(const std::string& common_name,
                                             const std::string& challenge_password,
                                             const std::string& algorithm) const {
  Device device = make_device("/CN=unused", "", algorithm);
  const auto file = new_file(".cnf");
  write_new_file(file,
                 "[req]\nprompt = no\ndistinguished_name = dn\nattributes = attrs\n[dn]\nCN = " +
                     common_name + "\n[attrs]\nchallengePassword = " + challenge_password + "\n",
                 FileMode::secret);
  device.csr = new_file(".csr");
  openssl({"req", "-new", "-key", device.key.string(), "-config", file.string(), "-outform", "DER",
           "-out", device.csr.string()});
  return device;
}

void EstClient::make_csr(Device& device, const std::string& subject, const std::string& san) const {
  device.csr = new_file(".csr");
  std::vector<std::string> arguments{
      "req",      "-new", "-key", device.key.string(), "-subj", subject,
      "-outform", "DER",  "-out", device.csr.string()};
  if (!san.empty()) {
    arguments.insert(arguments.end(), {"-addext", "subjectAltName=" + san});
  }
  openssl(arguments);
}

void EstClient::enroll(Device& device) const {
  const Answer answer = post("simpleenroll", csr_base64(device), as_ra());
  if (answer.status != 200) {
    throw std::runtime_error("enrolment: " + std::to_string(answer.status) + " " + answer.body +
                             answer.error);
  }
  device.certificate = save_certificate(answer.body);
}

std::filesystem::path EstClient::save_certificate(const std::string& body) const {
  const std::filesystem::path cms = new_file(".p7");
  const std::filesystem::path pem = new_file(".pem");
  write_new_file(cms, as_text(base64_decode(body)), FileMode::secret);
  openssl({"pkcs7", "-inform", "DER", "-in", cms.string(), "-print_certs", "-out", pem.string()});
  return pem;
}

std::string EstClient::csr_base64(const Device& device, std::size_t columns) {
  const std::string der = read_file(device.csr);
  return base64_encode(as_bytes(der), columns);
}

std::string EstClient::openssl(const std::vector<std::string>& arguments) const {
  std::vector<std::string> command{"openssl"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return run_ok(command, installation_.directory());
}

}  // namespace estia::e2e
