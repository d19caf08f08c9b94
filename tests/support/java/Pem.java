// SPDX-License-Identifier: Apache-2.0
import java.io.FileReader;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.openssl.jcajce.JcaPEMKeyConverter;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.openssl.jcajce.JcaPKCS8Generator;

/** What the programs for delivered keys share: PEM files, and whether a key is a certificate's. */
final class Pem {
  private Pem() {}

  static PrivateKey readKey(Path file) throws Exception {
    try (PEMParser parser = new PEMParser(new FileReader(file.toFile()))) {
      return new JcaPEMKeyConverter().getPrivateKey((PrivateKeyInfo) parser.readObject());
    }
  }

  static List<X509Certificate> readCertificates(Path file) throws Exception {
    List<X509Certificate> certificates = new ArrayList<>();
    try (PEMParser parser = new PEMParser(new FileReader(file.toFile()))) {
      for (Object found = parser.readObject(); found != null; found = parser.readObject()) {
        certificates.add(
            new JcaX509CertificateConverter().getCertificate((X509CertificateHolder) found));
      }
    }
    return certificates;
  }

  static X509Certificate readCertificate(Path file) throws Exception {
    return readCertificates(file).get(0);
  }

  static void write(Path file, Object object) throws Exception {
    try (Writer writer = Files.newBufferedWriter(file);
        JcaPEMWriter pem = new JcaPEMWriter(writer)) {
      pem.writeObject(object instanceof PrivateKey key ? new JcaPKCS8Generator(key, null) : object);
    }
  }

  /** By a signature, which says it of every kind of key. */
  static void requirePair(PrivateKey key, PublicKey publicKey) throws Exception {
    String kind = publicKey.getAlgorithm().equals("RSA") ? "RSA" : "ECDSA";
    byte[] text = "one pair".getBytes();
    Signature signer = Signature.getInstance("SHA256with" + kind, "BC");
    signer.initSign(key);
    signer.update(text);
    byte[] signature = signer.sign();
    Signature verifier = Signature.getInstance("SHA256with" + kind, "BC");
    verifier.initVerify(publicKey);
    verifier.update(text);
    if (!verifier.verify(signature)) {
      throw new IOException("the key is not that of the certificate");
    }
  }
}
