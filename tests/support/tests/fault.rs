//! Every fault does what it says, to the caller and to the engine.

use std::time::{Duration, Instant};

use anyhow::Result;
use backup_test_support::client::Client;
use backup_test_support::engine::{Distribution, Engine};
use backup_test_support::fault::{Fault, FaultProxy, When};
use backup_test_support::installation::unique_prefix;
use backup_test_support::poll_until;
use serde_json::json;

const DELAY: Duration = Duration::from_millis(300);

#[tokio::test]
async fn alone_it_answers_by_its_rules() -> Result<()> {
    let proxy = FaultProxy::alone().await?;
    proxy
        .add(When::get("/a").nth(2), Fault::engine_error(429, "circuit_breaking_exception").header("retry-after", "7"));
    proxy.add(When::any("/a"), Fault::answer(200, &json!({ "ok": true })));
    let url = proxy.url()?.join("/a?b=c")?;
    assert_eq!(reqwest::get(url.clone()).await?.status(), 200);
    let refused = reqwest::get(url.clone()).await?;
    assert_eq!(refused.headers().get("retry-after").map(|value| value.as_bytes()), Some(&b"7"[..]));
    assert_eq!(refused.status(), 429);
    let text = refused.text().await?;
    assert!(text.contains(r#""type":"circuit_breaking_exception""#), "{text}");
    assert_eq!(reqwest::get(url.clone()).await?.text().await?, r#"{"ok":true}"#);
    assert_eq!(reqwest::get(proxy.url()?).await?.status(), 501);
    assert_eq!(proxy.faults(), 3);
    let paths: Vec<String> = proxy.requests().into_iter().map(|request| request.path).collect();
    assert_eq!(paths, ["/a?b=c", "/a?b=c", "/a?b=c", "/"]);
    assert!(proxy.writes().is_empty());
    Ok(())
}

#[tokio::test]
async fn the_engine_gets_what_is_forwarded_and_nothing_else() -> Result<()> {
    let engine = Engine::shared(Distribution::ELASTICSEARCH).await?;
    let proxy = FaultProxy::in_front_of(&engine).await?;
    let caller = Client::new(proxy.url()?.as_str())?;
    for (fault, acts) in [
        (Fault::close(), false),
        (Fault::reset(), false),
        (Fault::close().after_forwarding(), true),
        (Fault::reset().after_forwarding(), true),
        (Fault::cut_after(5), true),
        (Fault::cut_after(0), true),
    ] {
        let path = format!("/{}", unique_prefix());
        let what = format!("{fault:?}");
        proxy.add(When::put(&path), fault);
        assert!(caller.put(&path, &json!({})).await.is_err(), "{what}");
        let status = if acts { 200 } else { 404 };
        assert_eq!(engine.client().get(&path).await?.status, status, "{what}");
    }
    assert_eq!(proxy.writes().len(), 6);
    Ok(())
}

#[tokio::test]
async fn answers_are_replaced_rewritten_and_delayed() -> Result<()> {
    let engine = Engine::shared(Distribution::ELASTICSEARCH).await?;
    let proxy = FaultProxy::in_front_of(&engine).await?;
    let caller = Client::new(proxy.url()?.as_str())?;
    let path = format!("/{}", unique_prefix());
    proxy.add(When::put(&path), Fault::answer(503, &json!({})).after_forwarding());
    proxy.add(When::get(&path).nth(1), Fault::delay(DELAY));
    proxy.add(When::get(&path).nth(2), Fault::rewrite(|body| body.replace(r#""aliases":{}"#, r#""aliases":7"#)));
    assert_eq!(caller.put(&path, &json!({})).await?.status, 503);
    let start = Instant::now();
    let genuine = caller.get(&path).await?;
    assert!(start.elapsed() >= DELAY);
    assert_eq!(genuine, engine.client().get(&path).await?);
    let index = format!("{path}/aliases");
    assert_eq!(genuine.body.pointer(&index), Some(&json!({})));
    assert_eq!(caller.get(&path).await?.body.pointer(&index), Some(&json!(7)));
    proxy.heal();
    assert_eq!(caller.delete(&path).await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn a_reset_is_not_the_same_as_a_close() -> Result<()> {
    let proxy = FaultProxy::alone().await?;
    proxy.add(When::any("/reset"), Fault::reset());
    proxy.add(When::any("/close"), Fault::close());
    let causes = async |path| -> Result<String> { Ok(format!("{:?}", reqwest::get(proxy.url()?.join(path)?).await)) };
    assert!(causes("/reset").await?.contains("ConnectionReset"));
    assert!(!causes("/close").await?.contains("ConnectionReset"));
    Ok(())
}

#[tokio::test]
async fn silence_lasts_until_the_caller_gives_up() -> Result<()> {
    let proxy = FaultProxy::alone().await?;
    proxy.add(When::any(""), Fault::silence());
    let answer = tokio::time::timeout(DELAY, reqwest::get(proxy.url()?)).await;
    assert!(answer.is_err());
    assert_eq!(proxy.requests().len(), 1);
    Ok(())
}

#[tokio::test]
async fn while_it_is_down_nobody_is_there() -> Result<()> {
    let mut proxy = FaultProxy::alone().await?;
    let url = proxy.url()?;
    assert_eq!(reqwest::get(url.clone()).await?.status(), 501);
    proxy.go_down().await;
    assert!(reqwest::get(url.clone()).await.is_err_and(|error| error.is_connect()));
    proxy.come_back()?;
    assert_eq!(reqwest::get(url).await?.status(), 501);
    Ok(())
}

#[tokio::test]
async fn a_dripping_answer_is_whole_in_the_end() -> Result<()> {
    let engine = Engine::shared(Distribution::ELASTICSEARCH).await?;
    let proxy = FaultProxy::in_front_of(&engine).await?;
    let caller = Client::new(proxy.url()?.as_str())?;
    proxy.add(When::get("/_cluster/settings"), Fault::drip(4, DELAY));
    let start = Instant::now();
    assert_eq!(caller.get("/_cluster/settings").await?, engine.client().get("/_cluster/settings").await?);
    assert!(start.elapsed() >= 3 * DELAY);
    Ok(())
}

#[tokio::test]
async fn an_outage_ends_by_itself() -> Result<()> {
    let proxy = FaultProxy::alone().await?;
    proxy.add(When::any("").nth(1), Fault::outage(DELAY));
    let url = proxy.url()?;
    assert!(reqwest::get(url.clone()).await.is_err_and(|error| !error.is_connect()));
    assert!(reqwest::get(url.clone()).await.is_err_and(|error| error.is_connect()));
    let answer = poll_until("the end of the outage", 100 * DELAY, async || Ok(reqwest::get(url.clone()).await.ok()));
    assert_eq!(answer.await?.status(), 501);
    Ok(())
}
