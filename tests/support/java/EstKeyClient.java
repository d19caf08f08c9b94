// SPDX-License-Identifier: Apache-2.0
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.Security;
import java.security.cert.Certificate;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.util.Set;
import java.util.stream.Collectors;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.X509TrustManager;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.DERNull;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.cms.ContentInfo;
import org.bouncycastle.asn1.nist.NISTObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.RSAESOAEPparams;
import org.bouncycastle.asn1.sec.SECObjectIdentifiers;
import org.bouncycastle.asn1.smime.SMIMECapabilityVector;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.Extensions;
import org.bouncycastle.asn1.x509.SubjectKeyIdentifier;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509CertificateHolder;
import org.bouncycastle.cmc.SimplePKIResponse;
import org.bouncycastle.est.ESTClient;
import org.bouncycastle.est.ESTRequestBuilder;
import org.bouncycastle.est.ESTResponse;
import org.bouncycastle.est.ESTService;
import org.bouncycastle.est.EnrollmentResponse;
import org.bouncycastle.est.jcajce.JcaHttpAuthBuilder;
import org.bouncycastle.est.jcajce.JcaJceUtils;
import org.bouncycastle.est.jcajce.JsseESTServiceBuilder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.mime.BasicMimeParser;
import org.bouncycastle.mime.ConstantMimeContext;
import org.bouncycastle.mime.Headers;
import org.bouncycastle.mime.MimeContext;
import org.bouncycastle.mime.MimeParserContext;
import org.bouncycastle.mime.MimeParserListener;
import org.bouncycastle.openssl.jcajce.JcaPEMKeyConverter;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.pkcs.PKCS10CertificationRequest;
import org.bouncycastle.pkcs.PKCS10CertificationRequestBuilder;
import org.bouncycastle.pkcs.jcajce.JcaPKCS10CertificationRequestBuilder;
import org.bouncycastle.util.encoders.Base64;

/**
 * A device that has its key made by the server (RFC 7030 4.4), through Bouncy Castle.
 *
 * <pre>
 * EstKeyClient HOST:PORT plain  CA.pem USER PASSWORD-FILE ALGORITHM SUBJECT KEY.pem CERT.pem
 * EstKeyClient HOST:PORT sealed CA.pem OWN-KEY.pem OWN-CERT.pem ALGORITHM KEY.p7m CERT.pem
 * </pre>
 *
 * ALGORITHM is P-256, P-384 or RSA-2048: the kind of key that is wanted. `sealed` asks for a key
 * encrypted for its own certificate's and writes the EnvelopedData as it came: KeyOpener opens it.
 */
public final class EstKeyClient {
  private static final int TIMEOUT_MILLISECONDS = 120_000; // a token makes RSA keys slowly
  /** RFC 7030 4.4.1.2; Bouncy Castle 1.72 has no name for it. */
  private static final ASN1ObjectIdentifier ASYMMETRIC_DECRYPT_KEY_ID =
      new ASN1ObjectIdentifier("1.2.840.113549.1.9.16.2.54");

  private final String server;

  private EstKeyClient(String server) {
    this.server = server;
  }

  public static void main(String[] arguments) throws Exception {
    Security.addProvider(new BouncyCastleProvider());
    EstKeyClient client = new EstKeyClient(arguments[0]);
    Path anchors = Path.of(arguments[2]);
    switch (arguments[1]) {
      case "plain" ->
          client.plain(anchors, arguments[3], Path.of(arguments[4]), arguments[5], arguments[6],
              Path.of(arguments[7]), Path.of(arguments[8]));
      case "sealed" ->
          client.sealed(anchors, Path.of(arguments[3]), Path.of(arguments[4]), arguments[5],
              Path.of(arguments[6]), Path.of(arguments[7]));
      default -> throw new IllegalArgumentException("unknown command " + arguments[1]);
    }
  }

  /** All of it is the library's: request, multipart, PrivateKeyInfo, certs-only. */
  private void plain(Path anchors, String user, Path passwordFile, String algorithm,
      String subject, Path keyFile, Path certificateFile) throws Exception {
    char[] password = Files.readString(passwordFile).strip().toCharArray();
    KeyPair unused = newKeyPair(algorithm);
    EnrollmentResponse answer =
        trusting(anchors)
            .build()
            .simpleEnrollWithServersideCreation(
                sign(new JcaPKCS10CertificationRequestBuilder(
                    new X500Name(subject), unused.getPublic()), unused),
                new JcaHttpAuthBuilder("estia", user, password).build());
    X509CertificateHolder[] certificates = ESTService.storeToArray(answer.getStore());
    finish(certificates, certificateFile);
    var key = new JcaPEMKeyConverter().getPrivateKey(answer.getPrivateKeyInfo());
    Pem.requirePair(key, new JcaX509CertificateConverter().getCertificate(certificates[0])
        .getPublicKey());
    Pem.write(keyFile, key);
    System.out.println("key " + key.getAlgorithm());
  }

  /**
   * ESTService takes every application/pkcs7-mime for certificates, so the request is put together
   * of its HTTP parts and the answer is split by Bouncy Castle's MIME parser here.
   */
  private void sealed(Path anchors, Path ownKeyFile, Path ownCertificateFile, String algorithm,
      Path keyFile, Path certificateFile) throws Exception {
    X509Certificate own = Pem.readCertificate(ownCertificateFile);
    KeyStore identity = KeyStore.getInstance("PKCS12");
    identity.load(null, null);
    identity.setKeyEntry(
        "device", Pem.readKey(ownKeyFile), new char[0], new Certificate[] {own});
    KeyManagerFactory keys =
        JcaJceUtils.createKeyManagerFactory("SunX509", "SunJSSE", identity, new char[0]);
    Service service = trusting(anchors);
    service.withKeyManagers(keys.getKeyManagers());
    byte[] request = Base64.encode(sealedRequest(own, newKeyPair(algorithm)).getEncoded());
    ESTResponse answer =
        service
            .client()
            .doRequest(
                new ESTRequestBuilder(
                        "POST", URI.create("https://" + server + "/.well-known/est/serverkeygen").toURL())
                    .withData(request)
                    .addHeader("Content-Type", "application/pkcs10")
                    .addHeader("Content-Length", String.valueOf(request.length))
                    .addHeader("Content-Transfer-Encoding", "base64")
                    .build());
    if (answer.getStatusCode() != 200) {
      throw new IOException(answer.getStatusCode() + " "
          + new String(answer.getInputStream().readAllBytes(), StandardCharsets.UTF_8));
    }
    Parts parts = new Parts();
    new BasicMimeParser(
            new Headers(answer.getHeader("content-type"), "base64"), answer.getInputStream())
        .parse(parts);
    answer.close();
    SimplePKIResponse certificates =
        new SimplePKIResponse(ContentInfo.getInstance(parts.certificate));
    finish(ESTService.storeToArray(certificates.getCertificates()), certificateFile);
    Files.write(keyFile, parts.key);
    System.out.println("sealed " + parts.key.length);
  }

  /** Names as in the certificate that is renewed; the key to encrypt with is that certificate's. */
  private static PKCS10CertificationRequest sealedRequest(X509Certificate own, KeyPair unused)
      throws Exception {
    X509CertificateHolder holder = new JcaX509CertificateHolder(own);
    byte[] identifier =
        SubjectKeyIdentifier.fromExtensions(holder.getExtensions()).getKeyIdentifier();
    PKCS10CertificationRequestBuilder request =
        new JcaPKCS10CertificationRequestBuilder(holder.getSubject(), unused.getPublic())
            .addAttribute(PKCSObjectIdentifiers.pkcs_9_at_smimeCapabilities, capabilities())
            .addAttribute(ASYMMETRIC_DECRYPT_KEY_ID, new DEROctetString(identifier));
    Extension names = holder.getExtension(Extension.subjectAlternativeName);
    if (names != null) {
      request.addAttribute(
          PKCSObjectIdentifiers.pkcs_9_at_extensionRequest, new Extensions(names));
    }
    return sign(request, unused);
  }

  /** What KeyOpener can do, in the order of liking. */
  private static DERSequence capabilities() {
    AlgorithmIdentifier sha256 =
        new AlgorithmIdentifier(NISTObjectIdentifiers.id_sha256, DERNull.INSTANCE);
    SMIMECapabilityVector list = new SMIMECapabilityVector();
    list.addCapability(PKCSObjectIdentifiers.id_RSAES_OAEP,
        new RSAESOAEPparams(sha256,
            new AlgorithmIdentifier(PKCSObjectIdentifiers.id_mgf1, sha256),
            RSAESOAEPparams.DEFAULT_P_SOURCE_ALGORITHM));
    list.addCapability(SECObjectIdentifiers.dhSinglePass_stdDH_sha256kdf_scheme,
        new AlgorithmIdentifier(NISTObjectIdentifiers.id_aes128_wrap));
    list.addCapability(SECObjectIdentifiers.dhSinglePass_stdDH_sha384kdf_scheme,
        new AlgorithmIdentifier(NISTObjectIdentifiers.id_aes256_wrap));
    list.addCapability(NISTObjectIdentifiers.id_aes256_CBC);
    return new DERSequence(list.toASN1EncodableVector());
  }

  private static void finish(X509CertificateHolder[] certificates, Path file) throws Exception {
    if (certificates.length != 1) {
      throw new IOException(certificates.length + " certificates instead of one");
    }
    Pem.write(file, certificates[0]);
  }

  private static PKCS10CertificationRequest sign(
      PKCS10CertificationRequestBuilder builder, KeyPair pair) throws Exception {
    String kind = pair.getPublic().getAlgorithm().equals("RSA") ? "RSA" : "ECDSA";
    return builder.build(new JcaContentSignerBuilder("SHA256with" + kind).build(pair.getPrivate()));
  }

  private static KeyPair newKeyPair(String algorithm) throws Exception {
    boolean rsa = algorithm.equals("RSA-2048");
    KeyPairGenerator generator = KeyPairGenerator.getInstance(rsa ? "RSA" : "EC");
    if (rsa) {
      generator.initialize(2048);
    } else {
      generator.initialize(
          new ECGenParameterSpec(algorithm.equals("P-384") ? "secp384r1" : "secp256r1"));
    }
    return generator.generateKeyPair();
  }

  private Service trusting(Path anchorFile) throws Exception {
    Set<TrustAnchor> anchors =
        Pem.readCertificates(anchorFile).stream()
            .map(certificate -> new TrustAnchor(certificate, null))
            .collect(Collectors.toSet());
    Service service = new Service(server, JcaJceUtils.getCertPathTrustManager(anchors, null));
    service.withTLSVersion("TLSv1.3").withTimeout(TIMEOUT_MILLISECONDS);
    return service;
  }

  /** The builder keeps to itself what sends one request. */
  private static final class Service extends JsseESTServiceBuilder {
    Service(String server, X509TrustManager[] trust) {
      super(server, trust);
    }

    ESTClient client() throws IOException {
      build();
      return clientProvider.makeClient();
    }
  }

  /** The two parts of the answer, told apart by smime-type. */
  private static final class Parts implements MimeParserListener {
    private byte[] key;
    private byte[] certificate;

    @Override
    public MimeContext createContext(MimeParserContext parser, Headers headers) {
      return new ConstantMimeContext();
    }

    @Override
    public void object(MimeParserContext parser, Headers headers, InputStream content)
        throws IOException {
      String type = headers.getContentType() + headers.getContentTypeAttributes();
      if (type.contains("server-generated-key")) {
        key = content.readAllBytes();
      } else if (type.contains("certs-only")) {
        certificate = content.readAllBytes();
      } else {
        throw new IOException("a part of an unknown type: " + type);
      }
    }
  }
}
