use super::error::Problem;
use super::secret::Secret;
use super::section::{Read, Section};
use super::values::{self, Unfit};

/// Who we are for the database.
#[derive(Clone, Debug)]
pub enum Authentication {
    /// Nobody in particular.
    None,
    /// A user, by HTTP Basic.
    Basic {
        /// The name, without a colon.
        username: String,
        /// The password, not empty.
        password: Secret,
    },
    /// An API key in its encoded form, as it follows `ApiKey` in the header `Authorization`.
    ApiKey(Secret),
}

impl Authentication {
    /// Reads the block `security`.
    pub(super) fn read(security: &Section<'_>) -> Read<Self> {
        let username = security.optional("username", values::username);
        let password = secret(security, ["password", "passwordFile"], values::password);
        let api_key = secret(security, ["apiKey", "apiKeyFile"], values::api_key);
        match (username?, password?, api_key?) {
            (None, None, None) => Ok(Self::None),
            (Some(username), Some((_, password)), None) => Ok(Self::Basic { username, password }),
            (None, None, Some((_, key))) => Ok(Self::ApiKey(key)),
            (Some(_), _, Some((key, _))) => Err(security.conflict(key, "username")),
            (None, Some((password, _)), Some((key, _))) => Err(security.conflict(key, password)),
            (Some(_), None, None) => {
                let password = security.key_of("password");
                Err(security.note("username", Problem::Needs(format!("{password}, or {password}File"))))
            }
            (None, Some((password, _)), None) => {
                Err(security.note(password, Problem::Needs(security.key_of("username"))))
            }
        }
    }
}

/// A secret that is given as it is or in a file, and the key that it was found under.
pub(super) fn secret(
    security: &Section<'_>,
    [plain, file]: [&'static str; 2],
    parse: impl Fn(&str) -> Result<Secret, Unfit>,
) -> Read<Option<(&'static str, Secret)>> {
    let given = security.optional(plain, &parse);
    let filed = security.optional(file, |path| values::secret_file(path, &parse));
    match (given?, filed?) {
        (Some(_), Some(_)) => Err(security.conflict(plain, file)),
        (Some(given), None) => Ok(Some((plain, given))),
        (None, filed) => Ok(filed.map(|filed| (file, filed))),
    }
}
