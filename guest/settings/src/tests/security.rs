use super::super::Role;
use super::{error, file, load};

const TOKEN: &str = "a-token-of-some-length";

#[test]
fn without_tokens_there_are_no_callers() {
    let settings = load("", &[]).unwrap();
    assert_eq!((settings.callers, settings.tls), (Vec::new(), None));
}

#[test]
fn each_role_has_a_token_and_callers_have_names() {
    let files = ["1", "2", "3"].map(|n| file(&format!("{TOKEN}{n}\n")));
    let [reader, admin, nightly] = files.each_ref().map(|file| file.path().to_str().unwrap());
    let yaml = format!(
        "security: {{callers: [{{name: nightly, role: operator, tokenFile: {nightly}}}], readerTokenFile: {reader}}}"
    );
    let settings = load(&yaml, &[("CAMUNDA_OPTIMIZE_BACKUP_ADMIN_TOKEN_FILE", admin)]).unwrap();
    let callers: Vec<_> = settings.callers.iter().map(|caller| (caller.name.as_str(), caller.role)).collect();
    assert_eq!(callers, [("reader", Role::Reader), ("admin", Role::Admin), ("nightly", Role::Operator)]);
    assert_eq!(settings.callers[2].token().unwrap().expose(), format!("{TOKEN}3"));
}

#[test]
fn what_is_wrong_with_a_caller_stops_the_start() {
    let (good, short, empty) = (file(TOKEN), file("hunter2"), file("\n"));
    let [good, short, empty] = [&good, &short, &empty].map(|file| file.path().to_str().unwrap());
    let caller = |fields: &str| format!("security: {{callers: [{{{fields}}}]}}");
    for (yaml, line) in [
        (
            "security: {adminTokenFile: /nowhere}".to_owned(),
            "security.adminTokenFile: the file '/nowhere' cannot be read: No such file or directory (os error 2)".to_owned(),
        ),
        (
            format!("security: {{adminTokenFile: {short}}}"),
            format!("security.adminTokenFile: the file '{short}' does not hold a token, which is one line of at least 16 visible ASCII characters"),
        ),
        (
            caller(&format!("name: a, role: boss, tokenFile: {empty}")),
            format!(
                "security.callers[0].role: 'boss' is not one of reader, operator, admin\n\
                 security.callers[0].tokenFile: the file '{empty}' is empty"
            ),
        ),
        (
            caller(&format!("name: 'a b', role: admin, tokenFile: {good}")),
            "security.callers[0].name: 'a b' is not a name of up to 64 letters, digits, and '-', '_', '.', '@', '/', ':'".to_owned(),
        ),
        (
            caller(&format!("name: a, role: admin, token: x, tokenFile: {good}")),
            "security.callers[0].token: is unknown: use name, role, tokenFile".to_owned(),
        ),
        (
            format!("security: {{callers: [{{name: admin, role: reader, tokenFile: {good}}}], adminTokenFile: {good}}}"),
            "security.callers: the name 'admin' is there twice".to_owned(),
        ),
        (
            format!("security: {{readerTokenFile: {good}, adminTokenFile: {good}}}"),
            "security.callers: the token of 'admin' is another caller's".to_owned(),
        ),
        (
            "security: {auth: {superUserIds: [a]}, readerTokenFiel: x}".to_owned(),
            "security.readerTokenFiel: is unknown: use adminTokenFile, callers, operatorTokenFile, readerTokenFile".to_owned(),
        ),
        (
            "policy: {token: hunter2}".to_owned(),
            "policy.token: is unknown: use cacheDir, compileTime, cpuTime, keys, maxBytes, maxEngineCalls, maxFailures, maxMemoryBytes, maxTransferBytes, path".to_owned(),
        ),
    ] {
        assert_eq!(error(&yaml, &[]), line, "{yaml}");
    }
}

#[test]
fn tls_by_the_names_of_spring_boot() {
    let files = ["certificate", "key", "authorities"].map(file);
    let [certificate, key, trust] = files.each_ref().map(|file| file.path().to_str().unwrap());
    let yaml = format!(
        "management: {{server: {{ssl: {{certificate: 'file:{certificate}', certificate-private-key: 'file://{key}'}}}}}}"
    );
    let tls = load(&yaml, &[("MANAGEMENT_SERVER_SSL_TRUST_CERTIFICATE", trust)]).unwrap().tls.unwrap();
    let [found_certificate, found_key] = [&tls.certificate, &tls.private_key].map(|path| path.to_str().unwrap());
    assert_eq!((found_certificate, found_key), (certificate, key));
    assert_eq!(tls.trust_certificate.unwrap().to_str(), Some(trust));

    let of = |keys: &str| error(&format!("management: {{server: {{ssl: {{{keys}}}}}}}"), &[]);
    assert_eq!(
        of(&format!("certificate: {certificate}")),
        "management.server.ssl.certificate: needs management.server.ssl.certificate-private-key"
    );
    for key_alone in ["certificate-private-key", "trust-certificate"] {
        assert_eq!(
            of(&format!("{key_alone}: {key}")),
            format!("management.server.ssl.{key_alone}: needs management.server.ssl.certificate")
        );
    }
    assert_eq!(
        of("key-store: x.jks"),
        "management.server.ssl.key-store: is unknown: use certificate, certificate-private-key, trust-certificate"
    );
}

#[test]
fn the_address_by_spring_boots_name_counts_before_optimizes() {
    let address = ("MANAGEMENT_SERVER_ADDRESS", "[::1]");
    assert_eq!(load("container: {host: 10.0.0.1}", &[address]).unwrap().host.as_str(), "::1");
    assert_eq!(load("container: {host: 10.0.0.1}", &[]).unwrap().host.as_str(), "10.0.0.1");
    assert_eq!(load("", &[]).unwrap().host.as_str(), "0.0.0.0");
}
