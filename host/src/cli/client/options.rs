use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, Error, FromArgMatches};

/// Which server is asked, and how.
#[derive(Debug, Args)]
#[command(next_help_heading = "Server")]
pub(in crate::cli) struct ServerOptions {
    /// Where the server is.
    #[arg(
        long,
        global = true,
        env = "OPTIMIZE_BACKUP_URL",
        hide_env_values = true,
        default_value = "http://localhost:8092"
    )]
    pub(super) url: String,
    /// A file with the token that is sent as `Authorization: Bearer …`. It is read again for each request.
    #[arg(long, value_name = "FILE", global = true, env = "OPTIMIZE_BACKUP_TOKEN_FILE", hide_env_values = true)]
    pub(super) token_file: Option<PathBuf>,
    /// A PEM file with the authorities that may have signed the server's certificate, in the place of the system's.
    #[arg(long, value_name = "FILE", global = true)]
    pub(super) ca_file: Option<PathBuf>,
    /// A PEM file with the client's certificate, for a server that demands one, and those that lead to its authority.
    #[arg(long, value_name = "FILE", global = true, requires = "private_key_file")]
    pub(super) certificate_file: Option<PathBuf>,
    /// A PEM file with the private key of --certificate-file.
    #[arg(long, value_name = "FILE", global = true, requires = "certificate_file")]
    pub(super) private_key_file: Option<PathBuf>,
}

#[cfg(test)]
impl ServerOptions {
    /// No more than where the server is.
    pub(super) fn at(url: String) -> Self {
        Self { url, token_file: None, ca_file: None, certificate_file: None, private_key_file: None }
    }
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Without a server")]
struct LocalOptions {
    /// Do it in this process, with the settings of `serve`, where no server runs.
    #[arg(long, global = true)]
    local: bool,
    /// With --local: a YAML file with Optimize's own keys, as for `serve`.
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
}

/// Who does what a command asks for.
#[derive(Debug)]
pub(in crate::cli) enum Target {
    Server(ServerOptions),
    /// This process.
    Local {
        config: Option<PathBuf>,
    },
}

impl Args for Target {
    fn augment_args(command: Command) -> Command {
        LocalOptions::augment_args(ServerOptions::augment_args(command))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

/// clap's own conflicts do not see what stands behind a subcommand, and count a variable of the environment as given.
impl FromArgMatches for Target {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let LocalOptions { local, config } = LocalOptions::from_arg_matches(matches)?;
        let conflict = |text: String| Err(Error::raw(ErrorKind::ArgumentConflict, text + "\n"));
        if !local {
            return match config {
                None => ServerOptions::from_arg_matches(matches).map(Self::Server),
                Some(_) => conflict("--config has the settings of this process: it needs --local".to_owned()),
            };
        }
        let is_given = |name: &&str| matches.value_source(name) == Some(ValueSource::CommandLine);
        match ["url", "token_file", "ca_file", "certificate_file", "private_key_file"].into_iter().find(is_given) {
            None => Ok(Self::Local { config }),
            Some(name) => {
                let option = name.replace('_', "-");
                conflict(format!("--{option} is for a server, --local for this process: use one of them"))
            }
        }
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
