//! The files that a connection was set up with, and what becomes of it when they have other contents.

use std::path::PathBuf;

use super::authentication::{ApiKey, Authentication};
use super::{Connection, Proxy};
use crate::error::InvalidValue;
use crate::section::{Parsed, Section, settings};
use crate::values::{self, Secret};

settings! {
    /// The files that secrets came from.
    #[derive(Clone, Debug, Default)]
    pub struct SecretFiles(security: &Section<'_>, proxy: &Section<'_>) {
        /// That of the password for the search engine.
        password: Option<PathBuf> = security.optional("passwordFile", values::any),
        /// That of the API key.
        api_key: Option<PathBuf> = security.optional("apiKeyFile", values::any),
        /// That of the password for the proxy.
        proxy_password: Option<PathBuf> = proxy.optional("passwordFile", values::any),
    }
}

impl Connection {
    /// All files that this was set up with: those of secrets and of certificates.
    #[must_use]
    pub fn files(&self) -> Vec<PathBuf> {
        let SecretFiles { password, api_key, proxy_password } = &self.secret_files;
        let secrets = [password, api_key, proxy_password].into_iter().flatten();
        let certificates = self.tls.iter().flat_map(|tls| tls.certificate_authorities.iter().chain(&tls.certificate));
        secrets.chain(certificates).cloned().collect()
    }

    /// The same with the secrets that its files hold now. Certificates are read when the connection is made.
    ///
    /// # Errors
    /// If a file cannot be read, or does not hold such a secret any more.
    pub fn renewed(&self) -> Result<Self, InvalidValue> {
        let SecretFiles { password, api_key, proxy_password } = &self.secret_files;
        let mut renewed = self.clone();
        match &mut renewed.authentication {
            Authentication::Basic { password: secret, .. } => renew(secret, password.as_ref())?,
            Authentication::ApiKey(key) => {
                if let Some(path) = api_key {
                    let text = values::secret_file(&path.to_string_lossy())?;
                    *key = ApiKey::parse(&text).map_err(|error| InvalidValue::file(&path.to_string_lossy(), error))?;
                }
            }
            Authentication::None | Authentication::Aws => {}
        }
        if let Some(Proxy { user: Some((_, secret)), .. }) = &mut renewed.proxy {
            renew(secret, proxy_password.as_ref())?;
        }
        Ok(renewed)
    }
}

fn renew(secret: &mut Secret, file: Option<&PathBuf>) -> Result<(), InvalidValue> {
    if let Some(path) = file {
        *secret = Secret::new(values::secret_file(&path.to_string_lossy())?);
    }
    Ok(())
}
