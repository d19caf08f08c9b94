// SPDX-License-Identifier: Apache-2.0
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Security;
import java.security.cert.CertPathValidator;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.Collections;
import java.util.Date;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Collectors;
import javax.crypto.spec.SecretKeySpec;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.ASN1Primitive;
import org.bouncycastle.asn1.ASN1Sequence;
import org.bouncycastle.asn1.cms.CMSAttributes;
import org.bouncycastle.asn1.cms.ContentInfo;
import org.bouncycastle.asn1.cms.Time;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.x509.SubjectKeyIdentifier;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509CertificateHolder;
import org.bouncycastle.cms.CMSEnvelopedData;
import org.bouncycastle.cms.CMSSignedData;
import org.bouncycastle.cms.KEKRecipientId;
import org.bouncycastle.cms.KeyAgreeRecipientId;
import org.bouncycastle.cms.KeyTransRecipientId;
import org.bouncycastle.cms.Recipient;
import org.bouncycastle.cms.RecipientId;
import org.bouncycastle.cms.RecipientInformation;
import org.bouncycastle.cms.SignerInformation;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;
import org.bouncycastle.cms.jcajce.JceKEKEnvelopedRecipient;
import org.bouncycastle.cms.jcajce.JceKeyAgreeEnvelopedRecipient;
import org.bouncycastle.cms.jcajce.JceKeyTransEnvelopedRecipient;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.openssl.jcajce.JcaPEMKeyConverter;

/**
 * Opens what a server made a key into, by Bouncy Castle alone.
 *
 * <pre>
 * KeyOpener certificate KEY.p7m ANCHORS.pem CERT.pem KEY.pem OWN-KEY.pem OWN-CERT.pem
 * KeyOpener secret      KEY.p7m ANCHORS.pem CERT.pem KEY.pem IDENTIFIER SECRET-KEY-FILE
 * KeyOpener pfx         KEY.p12 PASSWORD-FILE PROVIDER KEY.pem CERT.pem
 * </pre>
 *
 * The first two decrypt, verify the signature up to one of ANCHORS, and compare the key with CERT.
 * IDENTIFIER and what the secret key's file has are hexadecimal. KEY.pem is written last.
 */
public final class KeyOpener {
  /** id-ct-KP-aKeyPackage, RFC 5958 2. */
  private static final ASN1ObjectIdentifier KEY_PACKAGE =
      new ASN1ObjectIdentifier("2.16.840.1.101.2.1.2.78.5");

  private KeyOpener() {}

  public static void main(String[] arguments) throws Exception {
    Security.addProvider(new BouncyCastleProvider());
    Path message = Path.of(arguments[1]);
    switch (arguments[0]) {
      case "certificate" -> {
        X509Certificate own = Pem.readCertificate(Path.of(arguments[6]));
        PrivateKey key = Pem.readKey(Path.of(arguments[5]));
        boolean rsa = own.getPublicKey().getAlgorithm().equals("RSA");
        byte[] identifier =
            SubjectKeyIdentifier.fromExtensions(new JcaX509CertificateHolder(own).getExtensions())
                .getKeyIdentifier();
        cms(message, arguments,
            rsa ? new KeyTransRecipientId(identifier) : new KeyAgreeRecipientId(identifier),
            rsa ? new JceKeyTransEnvelopedRecipient(key).setProvider("BC")
                : new JceKeyAgreeEnvelopedRecipient(key).setProvider("BC"));
      }
      case "secret" -> {
        HexFormat hex = HexFormat.of();
        byte[] key = hex.parseHex(Files.readString(Path.of(arguments[6])).strip());
        cms(message, arguments, new KEKRecipientId(hex.parseHex(arguments[5])),
            new JceKEKEnvelopedRecipient(new SecretKeySpec(key, "AES")).setProvider("BC"));
      }
      case "pfx" ->
          pfx(message, Path.of(arguments[2]), arguments[3], Path.of(arguments[4]),
              Path.of(arguments[5]));
      default -> throw new IllegalArgumentException("unknown command " + arguments[0]);
    }
  }

  private static void cms(Path message, String[] arguments, RecipientId who, Recipient by)
      throws Exception {
    CMSEnvelopedData enveloped = new CMSEnvelopedData(Files.readAllBytes(message));
    if (enveloped.getRecipientInfos().size() != 1) {
      throw new IOException("more than one recipient");
    }
    RecipientInformation recipient = enveloped.getRecipientInfos().get(who);
    if (recipient == null) {
      throw new IOException("encrypted for somebody else");
    }
    // RFC 5652 6.1: the content is the SignedData alone, without the ContentInfo around it.
    if (!recipient.getContentType().equals(PKCSObjectIdentifiers.signedData)) {
      throw new IOException("not SignedData inside: " + recipient.getContentType());
    }
    PrivateKeyInfo found = keyPackage(
        new CMSSignedData(new ContentInfo(PKCSObjectIdentifiers.signedData,
            ASN1Primitive.fromByteArray(recipient.getContent(by)))),
        Pem.readCertificates(Path.of(arguments[2])));
    PrivateKey key = new JcaPEMKeyConverter().getPrivateKey(found);
    Pem.requirePair(key, Pem.readCertificate(Path.of(arguments[3])).getPublicKey());
    Pem.write(Path.of(arguments[4]), key);
    System.out.println("opened " + recipient.getClass().getSimpleName() + " "
        + recipient.getKeyEncryptionAlgOID() + " " + enveloped.getEncryptionAlgOID());
  }

  /** The one key of the package, once its signature and the signer were verified. */
  private static PrivateKeyInfo keyPackage(CMSSignedData signed, List<X509Certificate> anchors)
      throws Exception {
    if (signed.getSignerInfos().size() != 1
        || !signed.getSignedContentTypeOID().equals(KEY_PACKAGE.getId())) {
      throw new IOException("not an AsymmetricKeyPackage with one signature");
    }
    SignerInformation signature = signed.getSignerInfos().iterator().next();
    @SuppressWarnings("unchecked")
    var named = (java.util.Collection<X509CertificateHolder>)
        signed.getCertificates().getMatches(signature.getSID());
    X509Certificate signer =
        new JcaX509CertificateConverter().getCertificate(named.iterator().next());
    if (!signature.verify(
        new JcaSimpleSignerInfoVerifierBuilder().setProvider("BC").build(signer))) {
      throw new IOException("the signature is wrong");
    }
    Date when =
        Time.getInstance(signature.getSignedAttributes().get(CMSAttributes.signingTime)
            .getAttrValues().getObjectAt(0)).getDate();
    requireTrust(signer, anchors, when);
    ASN1Sequence keys =
        ASN1Sequence.getInstance((byte[]) signed.getSignedContent().getContent());
    if (keys.size() != 1) {
      throw new IOException(keys.size() + " keys instead of one");
    }
    return PrivateKeyInfo.getInstance(keys.getObjectAt(0));
  }

  private static void requireTrust(X509Certificate signer, List<X509Certificate> anchors,
      Date when) throws Exception {
    PKIXParameters parameters = new PKIXParameters(
        anchors.stream().map(one -> new TrustAnchor(one, null)).collect(Collectors.toSet()));
    parameters.setRevocationEnabled(false);
    parameters.setDate(when);
    CertPathValidator.getInstance("PKIX").validate(
        CertificateFactory.getInstance("X.509").generateCertPath(List.of(signer)), parameters);
  }

  private static void pfx(Path message, Path passwordFile, String provider, Path keyFile,
      Path certificateFile) throws Exception {
    char[] password = Files.readString(passwordFile).strip().toCharArray();
    KeyStore store = KeyStore.getInstance("PKCS12", provider);
    try (InputStream content = new FileInputStream(message.toFile())) {
      store.load(content, password);
    }
    List<String> names = Collections.list(store.aliases());
    if (names.size() != 1 || !store.isKeyEntry(names.get(0))) {
      throw new IOException("not one key with its certificate: " + names);
    }
    PrivateKey key = (PrivateKey) store.getKey(names.get(0), password);
    X509Certificate certificate = (X509Certificate) store.getCertificate(names.get(0));
    Pem.requirePair(key, certificate.getPublicKey());
    Pem.write(certificateFile, certificate);
    Pem.write(keyFile, key);
    System.out.println("opened " + provider);
  }
}
