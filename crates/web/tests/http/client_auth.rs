//! Client authentication on the wire (RFC 6749 sections 2.3, 3.2.1 and 5.2).

use crate::house::{CONSOLE_SECRET, House, ORDERS_SECRET};
use crate::wire::{
    Answer, DEVICE_AUTHORIZATION, FORMS, INTROSPECT, REVOKE, TOKEN, With, basic, console, post,
    refused,
};

/// A body with all that the endpoint needs but the credentials.
fn body(endpoint: &str) -> Vec<(&'static str, &'static str)> {
    match endpoint {
        TOKEN => vec![("grant_type", "client_credentials")],
        DEVICE_AUTHORIZATION => vec![],
        _ => vec![("token", "x")],
    }
}

async fn with_header(house: &House, endpoint: &str, header: &str) -> Answer {
    let request = post(endpoint, &body(endpoint));
    house.send(request.with("authorization", header)).await
}

#[tokio::test]
async fn rfc6749_5_2_a_failed_authentication_is_401_with_a_basic_challenge() {
    let house = House::new().await;
    for endpoint in FORMS {
        let answer = with_header(&house, endpoint, &basic("orders", "wrong")).await;
        assert_eq!(answer.error(), refused(401, "invalid_client"), "{endpoint}");
        assert_eq!(
            answer.header("www-authenticate"),
            "Basic realm=\"id.example.com\", charset=\"UTF-8\""
        );
    }
}

#[tokio::test]
async fn an_unknown_client_and_a_wrong_secret_read_the_same() {
    let house = House::new().await;
    for endpoint in FORMS {
        let wrong = with_header(&house, endpoint, &basic("orders", "wrong")).await;
        let unknown = with_header(&house, endpoint, &basic("nobody", "wrong")).await;
        assert_eq!(wrong.status, unknown.status);
        assert_eq!(
            wrong.member("error_description"),
            unknown.member("error_description")
        );
    }
}

#[tokio::test]
async fn rfc6749_2_2_a_client_id_alone_is_no_authentication() {
    let house = House::new().await;
    for endpoint in FORMS {
        let mut pairs = body(endpoint);
        pairs.push(("client_id", "console"));
        let answer = house.post(endpoint, &pairs).await;
        assert_eq!(answer.error(), refused(401, "invalid_client"), "{endpoint}");
        let answer = with_header(&house, endpoint, &basic("console", "")).await;
        assert_eq!(answer.error(), refused(401, "invalid_client"), "{endpoint}");
    }
}

#[tokio::test]
async fn rfc6749_2_3_1_basic_is_form_encoded_inside_and_its_scheme_has_no_case() {
    let house = House::new().await;
    // The secret has a colon, a slash, spaces and a plus.
    for header in [console(), console().replacen("Basic", "bAsIc", 1)] {
        let answer = with_header(&house, DEVICE_AUTHORIZATION, &header).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

#[tokio::test]
async fn rfc6749_2_3_1_a_secret_in_the_body_works_and_two_ways_do_not() {
    let house = House::new().await;
    let in_body = [("client_id", "console"), ("client_secret", CONSOLE_SECRET)];
    assert_eq!(house.post(DEVICE_AUTHORIZATION, &in_body).await.status, 200);

    let both = post(DEVICE_AUTHORIZATION, &in_body).with("authorization", &console());
    assert_eq!(
        house.send(both).await.error(),
        refused(400, "invalid_request")
    );

    let same_id = post(DEVICE_AUTHORIZATION, &in_body[..1]).with("authorization", &console());
    assert_eq!(
        house.send(same_id).await.status,
        200,
        "the same id is no second credential"
    );

    let other_id =
        post(DEVICE_AUTHORIZATION, &[("client_id", "tv")]).with("authorization", &console());
    assert_eq!(
        house.send(other_id).await.error(),
        refused(400, "invalid_request")
    );
}

#[tokio::test]
async fn of_two_authorization_headers_neither_is_taken() {
    let house = House::new().await;
    for endpoint in FORMS {
        for second in [console(), "Bearer x".to_owned()] {
            let request = post(endpoint, &body(endpoint));
            let request = request
                .with("authorization", &console())
                .with("authorization", &second);
            let answer = house.send(request).await;
            assert_eq!(answer.error(), refused(401, "invalid_client"), "{endpoint}");
        }
    }
}

#[tokio::test]
async fn a_malformed_authorization_header_is_refused() {
    let house = House::new().await;
    for header in [
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic =",
        "Basic gIA=",
        "Bearer abc",
        "x",
        "Digest a=b",
    ] {
        let answer = with_header(&house, TOKEN, header).await;
        assert_eq!(answer.error(), refused(401, "invalid_client"), "{header}");
    }
}

#[tokio::test]
async fn a_public_client_names_itself_and_may_do_so_by_basic() {
    let house = House::new().await;
    for header in [basic("tv", ""), "Basic dHY=".to_owned()] {
        let answer = with_header(&house, DEVICE_AUTHORIZATION, &header).await;
        assert_eq!(answer.status, 200, "{header}: {answer:?}");
    }
    let invented = [("client_id", "tv"), ("client_secret", "invented")];
    let answer = house.post(DEVICE_AUTHORIZATION, &invented).await;
    assert_eq!(answer.error(), refused(401, "invalid_client"));
}

#[tokio::test]
async fn rfc6749_2_3_1_guessing_a_short_secret_is_bounded_at_every_endpoint() {
    for endpoint in FORMS {
        let house = House::new().await;
        for _ in 0..100 {
            let answer = with_header(&house, endpoint, &basic("orders", "guess")).await;
            assert_eq!(answer.status, 401);
        }
        let answer = with_header(&house, endpoint, &basic("orders", ORDERS_SECRET)).await;
        assert_eq!(
            answer.error(),
            refused(429, "too_many_requests"),
            "{endpoint}"
        );
        let seconds: u64 = answer.header("retry-after").parse().expect("seconds");
        assert!((1..=3600).contains(&seconds));
        let elsewhere = post(endpoint, &body(endpoint))
            .with("authorization", &basic("orders", ORDERS_SECRET))
            .with("x-forwarded-for", "198.51.100.7");
        assert_ne!(
            house.send(elsewhere).await.status,
            429,
            "others are not locked out"
        );
    }
}

#[tokio::test]
async fn a_public_client_has_no_business_at_introspection_but_may_revoke() {
    let house = House::new().await;
    let pairs = [("client_id", "tv"), ("token", "x")];
    let answer = house.post(INTROSPECT, &pairs).await;
    assert_eq!(answer.error(), refused(401, "invalid_client"));
    assert_eq!(house.post(REVOKE, &pairs).await.status, 200);
}
