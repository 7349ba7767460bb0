//! What Prometheus reads of a running server.

use crate::home::{Home, free_address, request};

const TV: &str = "[[client]]\nid = \"tv\"\ngrants = [\"device_code\", \"refresh_token\"]\n\
                  scopes = [\"openid\", \"offline_access\"]\n";

/// The value of a sample, by its name and labels.
fn sample(metrics: &str, name: &str) -> Option<f64> {
    let values = metrics
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    values.map(|value| value.parse().expect("a number"))
}

#[test]
fn requests_refusals_devices_commits_and_keys_are_counted_for_the_operator_only() {
    let metrics_at = free_address();
    let home = Home::new(&format!("admin_listen = \"{metrics_at}\"\n{TV}"));
    let server = home.serve();
    home.ready();
    let codes = [1, 2, 3].map(|_| {
        home.post("/oauth2/device_authorization", &[("client_id", "tv")])
            .1
    });
    let code = codes[0]["device_code"].as_str().expect("a code");
    for error in ["authorization_pending", "slow_down"] {
        assert_eq!(home.poll(code).1["error"], error);
    }
    assert_eq!(home.poll("grantor_dc_forged").1["error"], "invalid_grant");
    home.request("GET", "/made/up/path", "");
    assert_eq!(
        home.request("GET", "/metrics", "").0,
        404,
        "not for everybody"
    );

    let (status, metrics) = request(&metrics_at, "GET", "/metrics", "");
    assert_eq!(status, 200);
    let count = |name: &str| sample(&metrics, name);
    for (name, value) in [
        (
            r#"grantor_requests_total{endpoint="device_authorization",status="200"}"#,
            3.0,
        ),
        (
            r#"grantor_requests_total{endpoint="token",status="400"}"#,
            3.0,
        ),
        (
            r#"grantor_requests_total{endpoint="other",status="404"}"#,
            2.0,
        ),
        (r#"grantor_refusals_total{error="invalid_grant"}"#, 1.0),
        (r#"grantor_refusals_total{error="invalid_scope"}"#, 0.0),
        (
            r#"grantor_request_duration_seconds_count{endpoint="token"}"#,
            3.0,
        ),
        (
            r#"grantor_request_duration_seconds_bucket{le="+Inf",endpoint="token"}"#,
            3.0,
        ),
        ("grantor_authorization_pending_total", 1.0),
        ("grantor_slow_down_total", 1.0),
        ("grantor_pending_devices", 3.0),
        ("grantor_store_queue", 0.0),
        (r#"grantor_build_info{version="0.1.0"}"#, 1.0),
    ] {
        assert_eq!(count(name), Some(value), "{name} in\n{metrics}");
    }
    let [commits, syncs] =
        ["commits", "syncs"].map(|name| count(&format!("grantor_store_{name}_total")));
    assert!(
        commits >= Some(4.0) && syncs >= Some(1.0) && commits >= syncs,
        "{metrics}"
    );
    assert!(
        count("process_resident_memory_bytes") > Some(1e6),
        "{metrics}"
    );
    assert!(
        count("process_start_time_seconds") > Some(1.7e9),
        "{metrics}"
    );
    let keys = home.json("/.well-known/jwks.json");
    for key in keys["keys"].as_array().expect("keys") {
        let kid = key["kid"].as_str().expect("an id");
        let age = metrics.lines().find(|line| {
            line.starts_with("grantor_signing_key_age_seconds{") && line.contains(kid)
        });
        assert!(age.is_some(), "{metrics}");
    }
    assert!(!metrics.contains("made/up"), "{metrics}");
    assert!(metrics.ends_with("# EOF\n"), "{metrics}");

    assert_eq!(request(&metrics_at, "GET", "/healthz", "").0, 200);
    assert_eq!(request(&metrics_at, "GET", "/readyz", "").0, 200);
    assert_eq!(request(&metrics_at, "POST", "/oauth2/token", "a=b").0, 404);
    assert_eq!(server.end("TERM").code, Some(0));
}

#[test]
fn an_operator_listener_in_use_is_reported_and_no_files_are_left() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address");
    let home = Home::new(&format!("admin_listen = \"{address}\"\n"));
    let refused = home.refused();
    let said = crate::home::text(&refused.stderr);
    assert!(
        said.contains(&format!("grantor.toml:3:16: cannot listen on {address}")),
        "{said}"
    );
    assert_eq!(home.files(), ["grantor.toml"]);
}
