use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use jiff::ToSpan;
use jiff::tz::TimeZone;
use rcgen::{BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::ClientConfig;
use rustls::pki_types::{CertificateDer, ServerName};
use serde_json::json;
use tempfile::{TempDir, tempdir};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::client::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::*;
use crate::telemetry::captured::Log;

/// A certificate authority.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// A certificate and its key, in PEM.
    fn sign(&self, params: CertificateParams) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }
}

pub(in crate::http) fn of_name(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "Backups \u{3}U\u{4}\u{3}");
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

/// The files of a port, and what a caller needs.
pub(in crate::http) struct Files {
    folder: TempDir,
    authority: Authority,
    callers: Authority,
}

impl Files {
    pub(in crate::http) fn new() -> Self {
        let files = Self {
            folder: tempdir().unwrap(),
            authority: Authority::new("of the port"),
            callers: Authority::new("of callers"),
        };
        files.renew(of_name("the port"));
        files.write("callers.pem", &files.callers.pem);
        files
    }

    fn write(&self, name: &str, content: &str) {
        fs::write(self.folder.path().join(name), content).unwrap();
    }

    /// Another certificate, with another key.
    pub(in crate::http) fn renew(&self, params: CertificateParams) {
        let (certificate, key) = self.authority.sign(params);
        self.write("tls.crt", &certificate);
        self.write("tls.key", &key);
    }

    fn settings(&self) -> ServerTls {
        let file = |name| self.folder.path().join(name);
        ServerTls { certificate: file("tls.crt"), private_key: file("tls.key"), trust_certificate: None }
    }

    fn settings_with_clients(&self) -> ServerTls {
        ServerTls { trust_certificate: Some(self.folder.path().join("callers.pem")), ..self.settings() }
    }

    pub(in crate::http) fn port(&self) -> PortTls {
        PortTls::new(self.settings()).unwrap()
    }

    /// Without a client certificate.
    pub(in crate::http) async fn connect(&self, address: SocketAddr) -> io::Result<TlsStream<TcpStream>> {
        self.connect_with(address, None).await
    }

    async fn connect_with(
        &self,
        address: SocketAddr,
        client: Option<(String, String)>,
    ) -> io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.authority.pem.as_bytes()).unwrap()).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots);
        let config = match client {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
                builder.with_client_auth_cert(chain, PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap()).unwrap()
            }
        };
        let stream = TcpStream::connect(address).await?;
        TlsConnector::from(Arc::new(config)).connect(ServerName::IpAddress(address.ip().into()), stream).await
    }

    /// The name in the client's certificate, as the port sees it.
    async fn name_of(&self, port: &PortTls, client: Option<(String, String)>) -> io::Result<Option<Arc<str>>> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let acceptor = TlsAcceptor::from(port.current());
        let accept = async { acceptor.accept(listener.accept().await?.0).await };
        let (accepted, connected) = tokio::join!(accept, self.connect_with(address, client));
        let accepted = accepted?;
        drop(connected?);
        Ok(accepted.get_ref().1.peer_certificates().map(|chain| of_client(&chain[0])))
    }
}

fn refusal(tls: ServerTls) -> String {
    PortTls::new(tls).err().unwrap().to_string()
}

#[test]
fn files_that_cannot_be_used_are_told_with_their_setting() {
    let files = Files::new();
    let path = |name: &str| files.folder.path().join(name).display().to_string();
    let mut old = of_name("old");
    (old.not_before, old.not_after) = (date_time_ymd(2019, 1, 1), date_time_ymd(2020, 1, 1));
    let mut young = of_name("young");
    (young.not_before, young.not_after) = (date_time_ymd(2999, 1, 1), date_time_ymd(3000, 1, 1));
    for (params, problem) in
        [(old, "has expired, on 2020-01-01T00:00:00Z"), (young, "is not valid before 2999-01-01T00:00:00Z")]
    {
        files.renew(params);
        let expected = format!("management.server.ssl.certificate: the certificate in `{}` {problem}", path("tls.crt"));
        assert_eq!(refusal(files.settings()), expected);
    }
    files.renew(of_name("the port"));
    let (_, other_key) = files.authority.sign(of_name("other"));
    let key = |problem: &str| {
        format!("management.server.ssl.certificate-private-key: the file `{}` {problem}", path("tls.key"))
    };
    for (content, problem) in [
        (other_key.as_str(), "holds the key of another certificate than management.server.ssl.certificate"),
        (&other_key[..80], "cannot be read: "),
        ("", "holds no key in PEM, which begins with `-----BEGIN PRIVATE KEY-----` and has no password"),
    ] {
        files.write("tls.key", content);
        let told = refusal(files.settings());
        assert!(told.starts_with(&key(problem)), "{told}");
        assert_eq!(told.lines().count(), 1);
    }
    files.write("tls.crt", "");
    assert!(refusal(files.settings()).starts_with("management.server.ssl.certificate: the certificate file"));
    let files = Files::new();
    files.write("callers.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    assert!(refusal(files.settings_with_clients()).starts_with("management.server.ssl.trust-certificate: "));
}

#[tokio::test(start_paused = true)]
async fn what_expires_soon_is_told_each_day() {
    let files = Files::new();
    let (log, _guard) = Log::begin();
    let warnings_within = async |time: Duration| {
        let metrics = Arc::new(Metrics::new().unwrap());
        let before = log.lines().len();
        let telling = Arc::new(files.port()).tell_expiry(Arc::clone(&metrics));
        assert!(tokio::time::timeout(time, telling).await.is_err());
        (metrics.render().unwrap(), log.lines().split_off(before))
    };
    let mut params = of_name("the port");
    params.not_after = date_time_ymd(3000, 1, 1);
    files.renew(params.clone());
    let (metrics, events) = warnings_within(WARNING_INTERVAL).await;
    assert!(
        metrics.contains("\noptimize_backup_server_certificate_expiry_timestamp_seconds 32503680000\n"),
        "{metrics}"
    );
    assert!(events.is_empty(), "{events:?}");

    let last_day = TimeZone::UTC.to_datetime(Timestamp::now()).date().saturating_add(10.days());
    let [month, day] = [last_day.month(), last_day.day()].map(|number| u8::try_from(number).unwrap());
    params.not_after = date_time_ymd(last_day.year().into(), month, day);
    files.renew(params);
    let (_, events) = warnings_within(WARNING_INTERVAL + 2 * EXPIRY_INTERVAL).await;
    assert_eq!(events.len(), 2, "{events:?}");
    assert_eq!(
        (&events[0]["level"], &events[0]["fields"]["expires"]),
        (&json!("WARN"), &json!(format!("{last_day}T00:00:00Z")))
    );
}

#[tokio::test]
async fn what_was_replaced_is_used_once_it_is_whole() {
    let files = Files::new();
    let port = files.port();
    let before = port.current();
    let look = || {
        port.look();
        port.look();
        port.current()
    };
    let (certificate, key) = files.authority.sign(of_name("the new one"));
    files.write("tls.crt", &certificate[..certificate.len() / 2]);
    assert!(Arc::ptr_eq(&look(), &before), "half a certificate");
    files.write("tls.crt", &certificate);
    assert!(Arc::ptr_eq(&look(), &before), "without its key");
    files.write("tls.key", &key);
    let after = look();
    assert!(!Arc::ptr_eq(&after, &before));
    let mut old = of_name("old");
    (old.not_before, old.not_after) = (date_time_ymd(2019, 1, 1), date_time_ymd(2020, 1, 1));
    files.renew(old);
    assert!(Arc::ptr_eq(&look(), &after), "expired");
    assert_eq!(files.name_of(&port, None).await.unwrap(), None);
}

#[tokio::test]
async fn a_client_is_named_by_its_certificate() {
    let files = Files::new();
    let port = PortTls::new(files.settings_with_clients()).unwrap();
    assert_eq!(files.name_of(&port, None).await.unwrap(), None);
    let mut nameless = CertificateParams::new(vec!["job.example.org".to_owned()]).unwrap();
    nameless.distinguished_name = DistinguishedName::new();
    for (params, name) in [
        (of_name("backup-job"), "backup-job"),
        (of_name(&format!("two\nlines {}", "x".repeat(300))), &format!("two lines {}", "x".repeat(54))),
        (nameless, "job.example.org"),
    ] {
        let client = files.callers.sign(params);
        assert_eq!(files.name_of(&port, Some(client)).await.unwrap().as_deref(), Some(name));
    }
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_refused() {
    let files = Files::new();
    let port = PortTls::new(files.settings_with_clients()).unwrap();
    let stranger = files.authority.sign(of_name("stranger"));
    let error = files.name_of(&port, Some(stranger)).await.unwrap_err();
    assert!(error.to_string().contains("UnknownIssuer"), "{error}");
    let mut old = of_name("old");
    (old.not_before, old.not_after) = (date_time_ymd(2019, 1, 1), date_time_ymd(2020, 1, 1));
    let error = files.name_of(&port, Some(files.callers.sign(old))).await.unwrap_err();
    assert!(error.to_string().contains("expired"), "{error}");
}
