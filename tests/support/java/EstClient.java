// SPDX-License-Identifier: Apache-2.0
import java.io.FileReader;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.Security;
import java.security.cert.Certificate;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import javax.net.ssl.KeyManagerFactory;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.ExtensionsGenerator;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509CertificateHolder;
import org.bouncycastle.est.CACertsResponse;
import org.bouncycastle.est.ESTAuth;
import org.bouncycastle.est.ESTService;
import org.bouncycastle.est.EnrollmentResponse;
import org.bouncycastle.est.HttpAuth;
import org.bouncycastle.est.jcajce.JcaHttpAuthBuilder;
import org.bouncycastle.est.jcajce.JcaJceUtils;
import org.bouncycastle.est.jcajce.JsseESTServiceBuilder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.openssl.jcajce.JcaPEMKeyConverter;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.openssl.jcajce.JcaPKCS8Generator;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.pkcs.PKCS10CertificationRequest;
import org.bouncycastle.pkcs.jcajce.JcaPKCS10CertificationRequestBuilder;

/**
 * A device that speaks EST through Bouncy Castle's org.bouncycastle.est over the JDK's TLS.
 *
 * <pre>
 * EstClient TLS HOST:PORT bootstrap FINGERPRINT CA.pem
 * EstClient TLS HOST:PORT enroll    CA.pem USER PASSWORD-FILE ALGORITHM SUBJECT DNS
 *                                     KEY.pem CERT.pem
 * EstClient TLS HOST:PORT reenroll  CA.pem OLD-KEY.pem OLD-CERT.pem ALGORITHM KEY.pem CERT.pem
 * </pre>
 *
 * TLS is TLSv1.2 or TLSv1.3. FINGERPRINT is the root's SHA-256 in hexadecimal, known by another
 * way. ALGORITHM is P-256, P-384 or RSA-2048. The password comes from a file, never from a command
 * line.
 */
public final class EstClient {
  private static final int TIMEOUT_MILLISECONDS = 30_000;

  private final String tls;
  private final String server;

  private EstClient(String tls, String server) {
    this.tls = tls;
    this.server = server;
  }

  public static void main(String[] arguments) throws Exception {
    Security.addProvider(new BouncyCastleProvider());
    EstClient client = new EstClient(arguments[0], arguments[1]);
    switch (arguments[2]) {
      case "bootstrap" -> client.bootstrap(arguments[3], Path.of(arguments[4]));
      case "enroll" ->
          client.enroll(Path.of(arguments[3]), arguments[4], Path.of(arguments[5]), arguments[6],
              arguments[7], arguments[8], Path.of(arguments[9]), Path.of(arguments[10]));
      case "reenroll" ->
          client.reenroll(Path.of(arguments[3]), Path.of(arguments[4]), Path.of(arguments[5]),
              arguments[6], Path.of(arguments[7]), Path.of(arguments[8]));
      default -> throw new IllegalArgumentException("unknown command " + arguments[2]);
    }
  }

  /** RFC 7030 4.1.1: nobody is trusted until the root's fingerprint was compared. */
  private void bootstrap(String fingerprint, Path caFile) throws Exception {
    ESTService service =
        new JsseESTServiceBuilder(server, JcaJceUtils.getTrustAllTrustManager())
            .withTLSVersion(tls)
            .withTimeout(TIMEOUT_MILLISECONDS)
            .build();
    CACertsResponse response = service.getCACerts();
    X509CertificateHolder[] certificates =
        ESTService.storeToArray(response.getCertificateStore());
    boolean known = false;
    for (X509CertificateHolder certificate : certificates) {
      known |= sha256(certificate.getEncoded()).equalsIgnoreCase(fingerprint);
    }
    if (!known) {
      throw new IOException("no CA certificate has the fingerprint " + fingerprint);
    }
    writePem(caFile, (Object[]) certificates);
    System.out.println("cacerts " + certificates.length);
  }

  private void enroll(Path caFile, String user, Path passwordFile, String algorithm,
      String subject, String dns, Path keyFile, Path certificateFile) throws Exception {
    ESTService service = trusting(caFile).build();
    char[] password = Files.readString(passwordFile).strip().toCharArray();
    HttpAuth account = new JcaHttpAuthBuilder("estia", user, password).build();
    KeyPair pair = newKeyPair(algorithm);
    GeneralNames names = new GeneralNames(new GeneralName(GeneralName.dNSName, dns));
    X500Name name = new X500Name(subject);
    X509CertificateHolder issued =
        send(service, false, request(pair, name, names), account, pair);
    writePem(keyFile, pair.getPrivate());
    writePem(certificateFile, issued);
    System.out.println("enrolled " + issued.getSerialNumber().toString(16));
  }

  /** The old certificate authenticates; subject and alternative names stay, the key is new. */
  private void reenroll(Path caFile, Path oldKeyFile, Path oldCertificateFile, String algorithm,
      Path keyFile, Path certificateFile) throws Exception {
    List<X509Certificate> oldChain = readCertificates(oldCertificateFile);
    X509CertificateHolder old = new JcaX509CertificateHolder(oldChain.get(0));
    KeyStore identity = KeyStore.getInstance("PKCS12");
    identity.load(null, null);
    identity.setKeyEntry("device", readKey(oldKeyFile), new char[0],
        oldChain.toArray(new Certificate[0]));
    KeyManagerFactory keys =
        JcaJceUtils.createKeyManagerFactory("SunX509", "SunJSSE", identity, new char[0]);
    ESTService service = trusting(caFile).withKeyManagers(keys.getKeyManagers()).build();
    KeyPair pair = newKeyPair(algorithm);
    GeneralNames names =
        GeneralNames.fromExtensions(old.getExtensions(), Extension.subjectAlternativeName);
    X509CertificateHolder issued =
        send(service, true, request(pair, old.getSubject(), names), null, pair);
    writePem(keyFile, pair.getPrivate());
    writePem(certificateFile, issued);
    System.out.println("reenrolled " + issued.getSerialNumber().toString(16));
  }

  private JsseESTServiceBuilder trusting(Path caFile) throws Exception {
    Set<TrustAnchor> anchors =
        readCertificates(caFile).stream()
            .map(certificate -> new TrustAnchor(certificate, null))
            .collect(Collectors.toSet());
    return new JsseESTServiceBuilder(server, JcaJceUtils.getCertPathTrustManager(anchors, null))
        .withTLSVersion(tls)
        .withTimeout(TIMEOUT_MILLISECONDS);
  }

  private static X509CertificateHolder send(ESTService service, boolean reenroll,
      PKCS10CertificationRequest request, ESTAuth auth, KeyPair pair) throws Exception {
    EnrollmentResponse response = service.simpleEnroll(reenroll, request, auth);
    if (!response.isCompleted()) {
      throw new IOException("the request is pending, not answered");
    }
    X509CertificateHolder[] certificates = ESTService.storeToArray(response.getStore());
    if (certificates.length != 1) {
      throw new IOException(certificates.length + " certificates instead of one");
    }
    X509Certificate issued = new JcaX509CertificateConverter().getCertificate(certificates[0]);
    if (!issued.getPublicKey().equals(pair.getPublic())) {
      throw new IOException("the certificate holds another key");
    }
    return certificates[0];
  }

  private static PKCS10CertificationRequest request(KeyPair pair, X500Name subject,
      GeneralNames names) throws Exception {
    ExtensionsGenerator extensions = new ExtensionsGenerator();
    extensions.addExtension(Extension.subjectAlternativeName, false, names);
    JcaPKCS10CertificationRequestBuilder builder =
        new JcaPKCS10CertificationRequestBuilder(subject, pair.getPublic());
    builder.addAttribute(PKCSObjectIdentifiers.pkcs_9_at_extensionRequest, extensions.generate());
    String kind = pair.getPublic().getAlgorithm().equals("RSA") ? "RSA" : "ECDSA";
    return builder.build(new JcaContentSignerBuilder("SHA256with" + kind).build(pair.getPrivate()));
  }

  private static KeyPair newKeyPair(String algorithm) throws Exception {
    if (algorithm.startsWith("RSA-")) {
      KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
      generator.initialize(Integer.parseInt(algorithm.substring("RSA-".length())));
      return generator.generateKeyPair();
    }
    KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
    String curve = algorithm.equals("P-384") ? "secp384r1" : "secp256r1";
    generator.initialize(new ECGenParameterSpec(curve));
    return generator.generateKeyPair();
  }

  private static PrivateKey readKey(Path file) throws Exception {
    try (PEMParser parser = new PEMParser(new FileReader(file.toFile()))) {
      return new JcaPEMKeyConverter().getPrivateKey((PrivateKeyInfo) parser.readObject());
    }
  }

  private static List<X509Certificate> readCertificates(Path file) throws Exception {
    List<X509Certificate> certificates = new ArrayList<>();
    try (PEMParser parser = new PEMParser(new FileReader(file.toFile()))) {
      for (Object found = parser.readObject(); found != null; found = parser.readObject()) {
        certificates.add(
            new JcaX509CertificateConverter().getCertificate((X509CertificateHolder) found));
      }
    }
    return certificates;
  }

  private static void writePem(Path file, Object... objects) throws Exception {
    try (Writer writer = Files.newBufferedWriter(file);
        JcaPEMWriter pem = new JcaPEMWriter(writer)) {
      for (Object object : objects) {
        pem.writeObject(
            object instanceof PrivateKey key ? new JcaPKCS8Generator(key, null) : object);
      }
    }
  }

  private static String sha256(byte[] bytes) throws Exception {
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
  }
}
