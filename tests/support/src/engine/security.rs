//! Engines that ask who we are: one user, who may do everything.

use std::fs;
use std::path::Path;

use anyhow::Result;
use rcgen::{CertificateParams, DnType, KeyPair};
use serde_json::{Value, json};

/// The user. Elasticsearch has no other name for its first one.
pub(crate) const USER: &str = "elastic";
/// Where OpenSearch has its plugin, in the engine's own folder.
pub(crate) const PLUGIN: &str = "plugins/opensearch-security";
/// The program that makes of a password in a variable what the plugin keeps of it.
pub(crate) const HASHER: &str = "plugins/opensearch-security/tools/hash.sh";

/// The plugin's configuration, in the folder of the engine's.
const CONFIGURATION: &str = "opensearch-security";
const CERTIFICATE: &str = "node.pem";
const KEY: &str = "node.key";
const NODE: &str = "node";

/// The settings of OpenSearch's plugin: HTTP as it was, but with a password.
pub(crate) fn opensearch_settings() -> [(&'static str, Value); 8] {
    [
        // It does not do without certificates for what nodes say to each other.
        ("plugins.security.ssl.transport.pemcert_filepath", json!(CERTIFICATE)),
        ("plugins.security.ssl.transport.pemkey_filepath", json!(KEY)),
        ("plugins.security.ssl.transport.pemtrustedcas_filepath", json!(CERTIFICATE)),
        ("plugins.security.ssl.transport.enforce_hostname_verification", json!(false)),
        ("plugins.security.nodes_dn", json!([format!("CN={NODE}")])),
        ("plugins.security.ssl.http.enabled", json!(false)),
        ("plugins.security.allow_default_init_securityindex", json!(true)),
        ("plugins.security.audit.type", json!("noop")),
    ]
}

/// The password of the users that [`write_file_users`] adds.
pub(crate) const FILE_USER_PASSWORD: &str = "another password";
/// What bcrypt makes of it.
const FILE_USER_PASSWORD_HASH: &str = "$2a$10$abcdefghijklmnopqrstuubV96edcuLgpE4nSmpLNl5sWJ.cw9G2.";

/// Writes users of Elasticsearch's file realm, each with a role of the same name. Roles in the cluster need an analyser that
/// the published server does not bring.
pub(crate) fn write_file_users(config: &Path, roles: &[(&str, Value)]) -> Result<()> {
    let lines = |line: &dyn Fn(&str, &Value) -> String| -> String {
        roles.iter().map(|(name, role)| line(name, role) + "\n").collect()
    };
    fs::write(config.join("roles.yml"), lines(&|name, role| format!("{name}: {role}")))?;
    fs::write(config.join("users"), lines(&|name, _| format!("{name}:{FILE_USER_PASSWORD_HASH}")))?;
    fs::write(config.join("users_roles"), lines(&|name, _| format!("{name}:{name}")))?;
    Ok(())
}

/// Writes what OpenSearch's plugin needs into the folder of the engine's configuration: its own defaults,
/// one user, and a certificate.
pub(crate) fn write_opensearch(home: &Path, config: &Path, password_hash: &str) -> Result<()> {
    let configuration = config.join(CONFIGURATION);
    fs::create_dir(&configuration)?;
    for entry in fs::read_dir(home.join(PLUGIN).join("config"))? {
        let entry = entry?;
        fs::copy(entry.path(), configuration.join(entry.file_name()))?;
    }
    let users = json!({
        "_meta": {"type": "internalusers", "config_version": 2},
        USER: {"hash": password_hash, "backend_roles": ["admin"]},
    });
    fs::write(configuration.join("internal_users.yml"), users.to_string())?;

    let mut params = CertificateParams::new(vec![NODE.to_owned()])?;
    params.distinguished_name.push(DnType::CommonName, NODE);
    let key = KeyPair::generate()?;
    fs::write(config.join(CERTIFICATE), params.self_signed(&key)?.pem())?;
    fs::write(config.join(KEY), key.serialize_pem())?;
    Ok(())
}
