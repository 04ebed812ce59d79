use std::path::PathBuf;

use clap::Args;

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
}
