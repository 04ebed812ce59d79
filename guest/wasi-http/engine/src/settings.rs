use std::sync::OnceLock;

use backup_settings::Settings;

use crate::bindings::wasi::cli::environment::get_environment;

/// The settings in the environment, read once for each instance; the text says what is wrong with them.
pub(crate) fn get() -> &'static Result<Settings, String> {
    static SETTINGS: OnceLock<Result<Settings, String>> = OnceLock::new();
    SETTINGS.get_or_init(|| {
        let environment = get_environment();
        let find = |name: &str| environment.iter().find(|(found, _)| found == name).map(|(_, value)| value.clone());
        Settings::load_in_component(find).map_err(|error| error.to_string())
    })
}
