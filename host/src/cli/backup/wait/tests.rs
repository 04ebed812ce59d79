use backup_core::BackupId;

use super::*;
use crate::cli::client::ClientError;
use crate::cli::exit::ExitStatus;

const HOUR: Duration = Duration::from_secs(3600);

fn no_connection() -> BackupCommandError {
    ClientError::NoConnection {
        server: "http://server".to_owned(),
        reason: "connection refused".to_owned(),
        can_pass: true,
    }
    .into()
}

async fn wait<T>(
    timeout: Duration,
    look: impl AsyncFnMut(Duration) -> Result<Look<T>, BackupCommandError>,
) -> Result<T, BackupCommandError> {
    let options = WaitOptions { wait: true, timeout: Some(timeout) };
    options.until_ended(|| "it goes on".to_owned(), Progress::of("backup 7".to_owned()), look).await
}

/// A restart of the server, some minutes long.
#[tokio::test(start_paused = true)]
async fn an_outage_is_waited_out() {
    let mut looks = 0;
    let end = wait(HOUR, async |_| {
        looks += 1;
        match looks {
            1 => Ok(Look::Ongoing("part 1 of 2 IN_PROGRESS".to_owned().into())),
            2..=40 => Err(no_connection()),
            _ => Ok(Look::Ended(looks)),
        }
    });
    assert_eq!(end.await.unwrap(), 41);
}

#[tokio::test(start_paused = true)]
async fn it_gives_up_after_the_timeout() {
    let started = Instant::now();
    let mut looks = 0;
    let error = wait::<()>(6 * HOUR, async |_| {
        looks += 1;
        Err(no_connection())
    });
    assert_eq!(error.await.unwrap_err().to_string(), "6h (--timeout) are over; it goes on");
    assert_eq!(started.elapsed(), 6 * HOUR);
    assert!((2_000..2_400).contains(&looks), "about every 10 s: {looks}");
}

/// Also where a single request hangs.
#[tokio::test(start_paused = true)]
async fn it_gives_up_on_an_answer_that_does_not_come() {
    let error = wait::<()>(HOUR, async |_| std::future::pending().await).await.unwrap_err();
    assert!(matches!(error, BackupCommandError::TimedOut { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_pass_is_told_at_once() {
    let gone = async |_| Err(BackupCommandError::Gone { id: BackupId::new(7).unwrap() });
    let error = wait::<()>(HOUR, gone).await.unwrap_err();
    assert!(matches!(error, BackupCommandError::Gone { .. }), "{error}");
}

fn busy() -> BackupCommandError {
    ClientError::refused(503, "serverBusy").into()
}

/// A password that was replaced, say: no later look finds anything else.
#[tokio::test(start_paused = true)]
async fn an_error_that_is_answered_for_ten_minutes_ends_it() {
    let started = Instant::now();
    let error = wait::<()>(6 * HOUR, async |_| Err(busy())).await.unwrap_err();
    assert!(matches!(error, BackupCommandError::LastingError { .. }), "{error}");
    assert_eq!(error.exit_status(), ExitStatus::Unreachable);
    let told = "the server has answered with errors for 10 minutes, the last one: ";
    assert!(error.to_string().starts_with(told), "{error}");
    assert!((10..12).contains(&(started.elapsed().as_secs() / 60)));
}

#[tokio::test(start_paused = true)]
async fn errors_with_something_else_in_between_are_waited_out() {
    let mut looks = 0;
    let end = wait(6 * HOUR, async |elapsed| {
        looks += 1;
        match looks % 20 {
            _ if elapsed > HOUR => Ok(Look::Ended(())),
            0 => Err(no_connection()),
            10 => Ok(Look::Ongoing("part 2 of 2 IN_PROGRESS".to_owned().into())),
            _ => Err(busy()),
        }
    });
    end.await.unwrap();
}
