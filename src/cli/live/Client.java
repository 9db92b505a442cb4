import java.io.FileInputStream;
import java.io.InputStream;
import java.security.KeyStore;
import java.security.cert.CertPathBuilder;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXBuilderParameters;
import java.security.cert.PKIXRevocationChecker;
import java.security.cert.PKIXRevocationChecker.Option;
import java.security.cert.X509CertSelector;
import java.util.EnumSet;
import javax.net.ssl.CertPathTrustManagerParameters;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/** A client of the platform's own TLS: without revocation, or with PKIX's by list, OCSP or staple. */
class Client {
    public static void main(String[] words) throws Exception {
        String asks = words[0], host = words[1], roots = words[3];
        int port = Integer.parseInt(words[2]);
        System.setProperty("com.sun.security.enableCRLDP", "true");
        System.setProperty("com.sun.security.ocsp.timeout", "5");
        System.setProperty("com.sun.security.crl.timeout", "5");
        System.setProperty("com.sun.security.crl.readtimeout", "5");
        System.setProperty("jdk.tls.client.enableStatusRequestExtension", String.valueOf(asks.equals("staple")));
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        try (InputStream file = new FileInputStream(roots)) {
            store.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(file));
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        if (asks.equals("none")) {
            trust.init(store);
        } else {
            PKIXBuilderParameters parameters = new PKIXBuilderParameters(store, new X509CertSelector());
            PKIXRevocationChecker checker =
                (PKIXRevocationChecker) CertPathBuilder.getInstance("PKIX").getRevocationChecker();
            EnumSet<Option> options = EnumSet.of(Option.NO_FALLBACK);
            if (asks.equals("crl")) options.add(Option.PREFER_CRLS);
            // Servers staple nothing about authorities between (RFC 6066 §8).
            if (asks.equals("staple")) options.add(Option.ONLY_END_ENTITY);
            checker.setOptions(options);
            parameters.addCertPathChecker(checker);
            trust.init(new CertPathTrustManagerParameters(parameters));
        }
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        try (SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket(host, port)) {
            socket.setSoTimeout(30_000);
            SSLParameters parameters = socket.getSSLParameters();
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            socket.setSSLParameters(parameters);
            socket.getOutputStream().write("GET / HTTP/1.0\r\n\r\n".getBytes());
            socket.getInputStream().read();
        } catch (Exception error) {
            System.err.println("refused: " + error.getMessage());
            System.exit(1);
        }
    }
}
