use super::*;
use crate::clock::since_epoch;

/// By how many seconds the host's clock is ahead.
const OFF: [i64; 2] = [3600, -3600];

fn set_up_with(seconds_ahead: i64) -> (Arc<Cluster>, TestHost) {
    let cluster = Cluster::at(Duration::from_secs(since_epoch().as_secs().checked_add_signed(-seconds_ahead).unwrap()));
    let host = TestHost::new(&cluster);
    (cluster, host)
}

#[tokio::test(start_paused = true)]
async fn a_host_whose_clock_is_an_hour_off_makes_backups() {
    for seconds_ahead in OFF {
        let (cluster, host) = set_up_with(seconds_ahead);
        host.complete(1).await;
        assert_eq!(cluster.snapshots(), [part(1, 1), part(1, 2)]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_whose_clock_is_an_hour_off_resumes_backups() {
    for seconds_ahead in OFF {
        let (cluster, host) = set_up_with(seconds_ahead);
        host.create_and_crash(1).await;
        host.at(300).await;
        host.adopt_forever();
        host.at(310).await;
        assert_eq!(cluster.snapshots(), [part(1, 1), part(1, 2)]);
    }
}

#[tokio::test(start_paused = true)]
async fn the_difference_is_known() {
    for seconds_ahead in OFF {
        let (_, host) = set_up_with(seconds_ahead);
        assert_eq!(host.service.clock.last(), None);
        host.adopt_forever();
        host.at(1).await;
        let difference = host.service.clock.last().unwrap().unwrap();
        assert!((difference.seconds_ahead() - seconds_ahead).abs() <= 1 && difference.is_large(), "{difference}");
    }
    let (_, host) = set_up();
    host.adopt_forever();
    host.at(1).await;
    let difference = host.service.clock.last().unwrap().unwrap();
    assert!(!difference.is_large(), "{difference}");
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_does_not_tell_its_time_is_asked_again() {
    let (_, host) = set_up();
    host.network.fail("_nodes/_master", 1, Fault::refusal(Duration::ZERO, 403, "security_exception", "not yours"));
    host.adopt_forever();
    host.at(1).await;
    let error = host.service.clock.last().unwrap().unwrap_err();
    assert!(error.contains("403") && error.contains("not yours"), "{error}");
    host.at(61).await;
    assert!(host.service.clock.last().unwrap().is_ok());
}
