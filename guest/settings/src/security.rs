//! The block `security`: who may call the API. And the block `management.server.ssl`: how the port proves who it is.

use std::collections::BTreeSet;
use std::fmt::{self, Display};
use std::path::{Path, PathBuf};

use super::error::InvalidValue;
use super::section::{Parsed, Section, all};
use super::values::{self, Secret};

/// What a caller may do. Each role may also do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Look.
    Reader,
    /// Make, delete and verify backups.
    Operator,
    /// Everything.
    Admin,
}

impl Role {
    /// All of them, from the least to the most.
    pub const ALL: [Self; 3] = [Self::Reader, Self::Operator, Self::Admin];

    /// Its name, in settings, messages and logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }

    /// The setting with the token of whoever has this role.
    #[must_use]
    pub fn setting(self) -> &'static str {
        match self {
            Self::Reader => "security.readerTokenFile",
            Self::Operator => "security.operatorTokenFile",
            Self::Admin => "security.adminTokenFile",
        }
    }
}

impl Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Somebody who may call the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// How the log names the caller: of whoever has the token of a role, the role's name.
    pub name: String,
    /// What the caller may do.
    pub role: Role,
    /// The file with the caller's token. It could be read at the start, and can get another content at any time.
    pub token_file: PathBuf,
}

impl Caller {
    /// Reads the token, as it is now.
    ///
    /// # Errors
    /// If the file cannot be read or holds no token.
    pub fn token(&self) -> Result<Secret, InvalidValue> {
        read_token(&self.token_file)
    }

    /// The callers that the block `security` names. Without any, the API is open.
    pub(super) fn all(security: &Section<'_>) -> Parsed<Vec<Self>> {
        let of_roles = all(Role::ALL.into_iter().map(|role| Self::of_role(security, role)));
        let named = security.sections("callers").and_then(|callers| all(callers.iter().map(Self::named)));
        let callers: Vec<Self> = of_roles?.into_iter().flatten().chain(named?).collect();
        let (mut names, mut tokens) = (BTreeSet::new(), BTreeSet::new());
        for caller in &callers {
            if !names.insert(&caller.name) {
                return Err(security.report("callers", format!("the name '{}' is there twice", caller.name)));
            }
            if caller.token().is_ok_and(|token| !tokens.insert(token.expose().to_owned())) {
                return Err(security.report("callers", format!("the token of '{}' is another caller's", caller.name)));
            }
        }
        Ok(callers)
    }

    fn of_role(security: &Section<'_>, role: Role) -> Parsed<Option<Self>> {
        let key = role.setting().trim_start_matches("security.");
        let token_file = security.optional(key, token_file)?;
        Ok(token_file.map(|token_file| Self { name: role.to_string(), role, token_file }))
    }

    fn named(caller: &Section<'_>) -> Parsed<Self> {
        const KEYS: [&str; 3] = ["name", "role", "tokenFile"];
        for unknown in caller.names().into_iter().filter(|name| !KEYS.contains(name)) {
            caller.report(unknown, format!("is unknown: use {}", KEYS.join(", ")));
        }
        let name = caller.required("name", name);
        let role = caller.required("role", values::one_of(Role::ALL.map(|role| (role.name(), role))));
        let token_file = caller.required("tokenFile", token_file);
        Ok(Self { name: name?, role: role?, token_file: token_file? })
    }
}

/// A name that can stand in a log line as it is.
fn name(text: &str) -> Result<String, InvalidValue> {
    const MAX_LENGTH: usize = 64;
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.@/:".contains(c);
    if text.len() > MAX_LENGTH || !text.chars().all(fits) {
        return Err(InvalidValue::new(text, "a name of up to 64 letters, digits, and '-', '_', '.', '@', '/', ':'"));
    }
    Ok(text.to_owned())
}

fn token_file(path: &str) -> Result<PathBuf, InvalidValue> {
    read_token(Path::new(path)).map(|_| PathBuf::from(path))
}

fn read_token(path: &Path) -> Result<Secret, InvalidValue> {
    let path = path.to_string_lossy();
    values::token(&values::secret_file(&path)?).map_err(|_| {
        InvalidValue::file(&path, "does not hold a token, which is one line of at least 16 visible ASCII characters")
    })
}

/// How the port of the API proves who it is, and whose certificates it asks its callers for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerTls {
    /// The PEM file of its certificate, and of those between it and the authority.
    pub certificate: PathBuf,
    /// The PEM file of the key of that.
    pub private_key: PathBuf,
    /// The PEM file of the authorities whose certificates callers need. `None`: they need none.
    pub trust_certificate: Option<PathBuf>,
}

impl ServerTls {
    /// `None` without TLS.
    pub(super) fn of(ssl: &Section<'_>) -> Parsed<Option<Self>> {
        const KEY: &str = "certificate-private-key";
        const TRUST: &str = "trust-certificate";
        let [certificate, key, trust] = ["certificate", KEY, TRUST].map(|key| ssl.optional(key, resource));
        match (certificate?, key?, trust?) {
            (None, None, None) => Ok(None),
            (Some(certificate), Some(private_key), trust_certificate) => {
                Ok(Some(Self { certificate, private_key, trust_certificate }))
            }
            (Some(_), None, _) => Err(ssl.report("certificate", format!("needs {}", ssl.key_of(KEY)))),
            (None, Some(_), _) => Err(ssl.report(KEY, format!("needs {}", ssl.key_of("certificate")))),
            (None, None, Some(_)) => Err(ssl.report(TRUST, format!("needs {}", ssl.key_of("certificate")))),
        }
    }
}

/// A file that can be read, also in the way that Spring Boot writes it: `file:/etc/tls.crt`.
fn resource(text: &str) -> Result<PathBuf, InvalidValue> {
    let path = text.strip_prefix("file:").unwrap_or(text);
    values::readable_file(path.strip_prefix("//").unwrap_or(path))
}
