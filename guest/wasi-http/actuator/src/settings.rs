use std::sync::OnceLock;

use backup_actuator::Presentation;
use backup_settings::Settings;
use jiff::tz::TimeZone;

use crate::bindings::wasi::cli::environment::get_environment;
use crate::log;

/// The settings in the environment, read once for each instance.
pub(crate) struct Configuration {
    pub(crate) settings: Settings,
    pub(crate) presentation: Presentation,
    /// Whether a handler drives the backup after its response.
    pub(crate) resumes: bool,
}

/// To be set to `false` if the host serves one request after the other: the others would wait for a handler that drives a
/// backup.
const RESUME: &str = "CAMUNDA_OPTIMIZE_BACKUP_RESUME";

impl Configuration {
    /// The configuration; the text says what is wrong with it.
    pub(crate) fn get() -> &'static Result<Self, String> {
        static CONFIGURATION: OnceLock<Result<Configuration, String>> = OnceLock::new();
        CONFIGURATION.get_or_init(|| {
            let environment = get_environment();
            Self::read(|name| {
                let variable = environment.iter().find(|(found, _)| found == name);
                variable.map(|(_, value)| value.clone())
            })
        })
    }

    fn read(environment: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let settings = Settings::load_in_component(&environment).map_err(|error| error.to_string())?;
        let time_zone = time_zone(environment("TZ").as_deref());
        let resumes = match environment(RESUME).as_deref() {
            None | Some("" | "true") => true,
            Some("false") => false,
            Some(other) => return Err(format!("{RESUME}: '{other}' is not one of true, false")),
        };
        let presentation = Presentation { complete_state: settings.complete_state, time_zone };
        Ok(Self { settings, presentation, resumes })
    }
}

/// As the variable `TZ` is read elsewhere: a name such as `Europe/Berlin`, or the rule itself, `CET-1`.
fn time_zone(name: Option<&str>) -> TimeZone {
    let Some(name) = name.map(|name| name.trim_start_matches(':')).filter(|name| !name.is_empty()) else {
        return TimeZone::UTC;
    };
    TimeZone::get(name).or_else(|_| TimeZone::posix(name)).unwrap_or_else(|_| {
        log::line(&format!("the time zone {name} (TZ) is not known; times are in UTC"));
        TimeZone::UTC
    })
}
