// SPDX-License-Identifier: Apache-2.0
// From EJBCA's property dump to aliases that answer curl and openssl, while estiad runs.
#include <algorithm>
#include <cctype>

#include "tests/e2e/support/ejbca_site.h"
#include "tests/e2e/support/vendor_pki.h"

namespace estia::e2e {
namespace {

class EjbcaImport : public EjbcaSite {
 protected:
  void import_and_apply();
  void expect_codes_in_challenge_password(const std::string& round);
  void expect_account_and_scheme(const std::string& round);
  void expect_codes_by_basic(const std::string& round);
  void expect_codes_in_the_subject(const std::string& round);
  void expect_vendors(const std::string& round, const Device& device, const Device& stranger);
  void expect_defaults(const std::string& round);

  Device authority;  ///< with cmcRA
};

void EjbcaImport::import_and_apply() {
  const std::string before = estia_ok({"config", "export"});
  const Finished imported = import({"--ra-scope", "CN=*, UID=*, serialNumber=*"});
  ASSERT_EQ(imported.code, 0) << imported.err;
  for (const char* line :
       {"took       plant.7.ra.namegenerationparameters = 'UID;SN;CN': name_parameters\n",
        "took       plant.operationmode = 'client': mode = \"client\"\n",
        "took       plant.vendor.vendorcaids = '-5;77': vendor_anchors\n",
        "took       bare.ra.namegenerationscheme (absent: 'RANDOM')",
        "differs    plant.7: registration authorities are bound to ra_scope",
        "not taken  plant.7.reqpassword: cannot be recovered",
        "took       plant.severkeygenenabled = 'true': serverkeygen = [\"pkcs8\"]\n",
        "not taken  plant.vendor.authenticationmodule: decides nothing",
        "not taken  bare.supportproxyca = 'true'",
        "plant.7.futuresetting: no setting of an alias"}) {
    EXPECT_NE(imported.err.find(line), std::string::npos) << line << "\n" << imported.err;
  }
  EXPECT_EQ((imported.out + imported.err).find("6d60b1ee19b2f8f4"), std::string::npos);
  EXPECT_EQ(estia_ok({"config", "export"}), before) << "nothing was changed";
  ASSERT_TRUE(add_configuration(profiles() + with_account(imported.out)));
}

/// plant: a code in challengePassword, the CN is the username, a renewal needs a new key.
void EjbcaImport::expect_codes_in_challenge_password(const std::string& round) {
  const std::string name = "meter-" + round;
  const std::string code = code_for(name);
  EXPECT_EQ(enroll("plant", client->make_device_with_challenge(name, "wrong")).status, 403);
  Device device = client->make_device_with_challenge(name, code);
  const Answer enrolled = enroll("plant", device);
  ASSERT_EQ(username_after(enrolled), name);
  EXPECT_EQ(enroll("plant", client->make_device_with_challenge(name, code)).status, 403) << "spent";
  device.certificate = client->save_certificate(enrolled.body);
  const auto renew = [&](const Device& next) {
    return client->post("plant/simplereenroll", EstClient::csr_base64(next),
                        EstClient::as_device(device));
  };
  client->make_csr(device, "/CN=" + name);
  EXPECT_EQ(renew(device).status, 400) << "its key again";
  EXPECT_EQ(username_after(renew(client->make_device("/CN=" + name))), name);
  const auto key_for = [&](const std::string& alias) {
    return client
        ->post(alias + "/serverkeygen",
               EstClient::csr_base64(client->make_device("/CN=" + name, "", "RSA-2048")),
               EstClient::as_device(device))
        .status;
  };
  EXPECT_EQ(key_for("plant"), 200) << server->err();
  EXPECT_EQ(key_for("plant.vendor"), 404) << "absent is off";
  EXPECT_EQ(enroll("plants", device).status, 400) << "no such alias";
}

/// plant.7: RA mode, an account alone, usernames by UID;SN;CN; a known one is renewed.
void EjbcaImport::expect_account_and_scheme(const std::string& round) {
  const auto account = client->as_user("line-7", kPassword);
  const auto named = [&](const std::string& subject) {
    return username_after(enroll("plant.7", client->make_device(subject), account));
  };
  const std::string cn = "/CN=device-" + round;
  const std::string sn = "/serialNumber=47-" + round;
  EXPECT_EQ(named(cn + sn + "/UID=u-" + round), "f-u-" + round);
  EXPECT_EQ(named(cn + sn), "f-47-" + round);
  EXPECT_EQ(named(cn), "f-device-" + round);
  EXPECT_EQ(named(cn), "f-device-" + round) << "a renewal";
  const std::string entities = estia_ok({"entity", "list"});
  EXPECT_EQ(entities.find("f-device-" + round + "\t"), entities.rfind("f-device-" + round + "\t"));
  const Device device = client->make_device("/CN=other-" + round);
  EXPECT_EQ(enroll("plant.7", device).status, 401);
  EXPECT_EQ(enroll("plant.7", device, EstClient::as_device(authority)).status, 401);
  EXPECT_EQ(enroll("plant.7", client->make_device(cn + "/O=Elsewhere"), account).status, 400)
      << "the end-entity profile has no O";
}

/// plant.http: a code by HTTP Basic.
void EjbcaImport::expect_codes_by_basic(const std::string& round) {
  const std::string name = "http-" + round;
  const std::string code = code_for(name);
  const Device device = client->make_device("/CN=" + name);
  const Answer unasked = enroll("plant.http", device);
  EXPECT_EQ(unasked.status, 401);
  EXPECT_NE(unasked.header("WWW-Authenticate").find("Basic"), std::string::npos);
  EXPECT_EQ(enroll("plant.http", device, client->as_user(name, "wrong")).status, 401);
  EXPECT_EQ(username_after(enroll("plant.http", device, client->as_user(name, code))), name);
}

/// plant.dn: a code in the OU.
void EjbcaImport::expect_codes_in_the_subject(const std::string& round) {
  const std::string name = "dn-" + round;
  const std::string code = code_for(name);
  const auto with = [&](const std::string& ou) {
    return enroll("plant.dn", client->make_device("/CN=" + name + "/OU=" + ou));
  };
  EXPECT_EQ(with("wrong").status, 403);
  const Answer enrolled = with(code);
  ASSERT_EQ(username_after(enrolled), name);
  const auto certificate = client->save_certificate(enrolled.body);
  EXPECT_EQ(client->openssl({"x509", "-in", certificate.string(), "-noout", "-subject"}).find("OU"),
            std::string::npos);
}

/// plant.vendor: the vendor's certificate in place of a code; its serialNumber is the username.
void EjbcaImport::expect_vendors(const std::string& round, const Device& device,
                                 const Device& stranger) {
  const std::string name = "S" + round;
  EXPECT_EQ(enroll("plant.vendor", device, EstClient::as_device(device)).status, 403)
      << "not registered";
  const std::string code = code_for(name);
  EXPECT_EQ(enroll("plant.vendor", client->make_device_with_challenge(name, code)).status, 403)
      << "no codes here";
  EXPECT_EQ(enroll("plant.vendor", stranger, EstClient::as_device(stranger)).status, 403);
  const Answer enrolled = enroll("plant.vendor", device, EstClient::as_device(device));
  ASSERT_EQ(username_after(enrolled), name);
  const Device own{
      .key = device.key, .csr = {}, .certificate = client->save_certificate(enrolled.body)};
  EXPECT_EQ(username_after(client->post("plant.vendor/simplereenroll",
                                        EstClient::csr_base64(client->make_device("/CN=" + name)),
                                        EstClient::as_device(own))),
            name);
}

/// bare: RA mode, a certificate of a registration authority, random usernames.
void EjbcaImport::expect_defaults(const std::string& round) {
  const Device device = client->make_device("/CN=bare-" + round);
  EXPECT_EQ(enroll("bare", device).status, 403) << "nothing to challenge with";
  EXPECT_EQ(enroll("bare", device, client->as_user("line-7", kPassword)).status, 403);
  const std::string name = username_after(enroll("bare", device, EstClient::as_device(authority)));
  EXPECT_EQ(name.size(), 12U) << name;
  EXPECT_TRUE(std::ranges::all_of(name, [](unsigned char c) { return std::isalnum(c) != 0; }));
  const Device again = client->make_device("/CN=bare-" + round);
  EXPECT_EQ(enroll("bare", again, EstClient::as_device(authority)).status, 403)
      << "another username, so the subject is another end entity's";
}

TEST_F(EjbcaImport, ADumpBecomesAliasesThatBehaveSoAlsoAfterARestartAndAKill) {
  const VendorPki acme(*client, "Acme");
  const VendorPki old(*client, "Old");
  const VendorPki other(*client, "Other");
  const auto trust = [&](const VendorPki::Ca& ca, const std::string& name) {
    estia_ok({"anchor", "add", ca.certificate.string(), "--name", name, "--revocation", "none",
              "--yes"});
  };
  trust(acme.intermediate(), "acme");
  trust(old.root(), "acme-old");
  trust(other.root(), "other");  // trusted by no alias
  ASSERT_NO_FATAL_FAILURE(import_and_apply());
  authority = client->make_device_with_challenge("ra-1", code_for("ra-1", "ra"));
  const Answer made = enroll("plant", authority);
  ASSERT_EQ(made.status, 200) << made.body;
  authority.certificate = client->save_certificate(made.body);

  std::vector<std::pair<Device, Device>> devices;
  for (const char* round : {"1", "2", "3"}) {
    const std::string subject = std::string("/CN=IDevID/serialNumber=S") + round;
    const VendorPki& vendor = *round == '2' ? old : acme;
    devices.emplace_back(vendor.make_device(subject), other.make_device(subject));
  }
  for (std::size_t i = 0; i < devices.size(); ++i) {
    const std::string round = std::to_string(i + 1);
    SCOPED_TRACE(round);
    expect_codes_in_challenge_password(round);
    expect_account_and_scheme(round);
    expect_codes_by_basic(round);
    expect_codes_in_the_subject(round);
    expect_vendors(round, devices.at(i).first, devices.at(i).second);
    expect_defaults(round);
    if (i == 0) {
      EXPECT_EQ(server->stop(), 0) << server->err();
      start();
    } else if (i == 1) {
      kill_and_start();
    }
  }
}

TEST_F(EjbcaImport, TheOperatorIsToldWhatIsMissing) {
  const Finished unsaid = import({});
  EXPECT_EQ(unsaid.code, 1);
  EXPECT_EQ(unsaid.out, "");
  EXPECT_NE(unsaid.err.find(".properties:13: plant.7.requsername = 'line-7'"), std::string::npos)
      << unsaid.err;
  const Finished twice = import({"--ra-scope", "any", "--map", "ca:-1234567=other"});
  EXPECT_EQ(twice.code, 1);
  EXPECT_NE(twice.err.find("this id was mapped before"), std::string::npos) << twice.err;
  // An anchor that is not there is found when it is applied.
  const Finished imported = import({"--ra-scope", "CN=*, UID=*, serialNumber=*"});
  ASSERT_EQ(imported.code, 0) << imported.err;
  const Finished applied =
      apply(estia_ok({"config", "export"}) + profiles() + with_account(imported.out));
  EXPECT_EQ(applied.code, 1);
  EXPECT_NE(applied.err.find("alias[plant.vendor].vendor_anchors"), std::string::npos)
      << applied.err;
}

}  // namespace
}  // namespace estia::e2e
