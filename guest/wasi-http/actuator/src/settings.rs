use std::sync::OnceLock;

use backup_actuator::Presentation;
use backup_settings::Settings;
use jiff::tz::TimeZone;

use crate::bindings::wasi::cli::environment::get_environment;
use crate::log;

/// What the environment says, for the whole life of an instance.
pub(crate) struct Configuration {
    pub(crate) settings: Settings,
    pub(crate) presentation: Presentation,
    /// Whether a handler goes on with a backup after it has answered.
    pub(crate) goes_on: bool,
}

/// Set to `false` where a host serves one request after the other: a handler that goes on would keep all
/// others waiting.
const GO_ON: &str = "CAMUNDA_OPTIMIZE_BACKUP_GO_ON";

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
        let settings = Settings::load(None, &environment).map_err(|error| error.to_string())?;
        let time_zone = time_zone(environment("TZ").as_deref());
        let goes_on = match environment(GO_ON).as_deref() {
            None | Some("" | "true") => true,
            Some("false") => false,
            Some(other) => return Err(format!("{GO_ON}: '{other}' is not one of true, false")),
        };
        let presentation = Presentation { complete_state: settings.complete_state, time_zone };
        Ok(Self { settings, presentation, goes_on })
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
