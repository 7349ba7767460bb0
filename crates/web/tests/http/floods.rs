//! More sign-ins than there are places for passwords to be checked.

use futures_util::future::join_all;
use grantor_testkit::password_of;
use grantor_testkit::server::{Answer, Browser, Form, TestServer};

/// A browser at this address with the sign-in form open.
async fn at<'s>(server: &'s TestServer, address: String) -> (Browser<'s>, Form) {
    let mut browser = server.browser();
    browser.address = address.leak();
    let page = browser.get("/login").await;
    let form = Form::of(&page, "/login");
    (browser, form.fill("username", "alice"))
}

async fn submit((mut browser, form): (Browser<'_>, Form), password: &str) -> Answer {
    browser.submit(form.fill("password", password)).await
}

/// Of 12 people in other networks, those who sign in while 150 wrong passwords from these addresses are checked.
async fn honest_sign_ins(address: fn(usize) -> String) -> usize {
    let server = TestServer::new().await;
    let (mut flood, mut honest) = (Vec::new(), Vec::new());
    for n in 0..150 {
        let (browser, form) = at(&server, address(n)).await;
        flood.push((browser, form.fill("username", &format!("made-up-{n}"))));
    }
    for n in 0..12 {
        honest.push(at(&server, format!("203.0.{n}.7")).await);
    }
    let password = password_of("alice");
    let flood = join_all(flood.into_iter().map(|guess| submit(guess, "wrong")));
    let honest = join_all(honest.into_iter().map(|person| submit(person, &password)));
    let (flood, honest) = futures_util::join!(flood, honest);
    assert!(
        flood.iter().any(|answer| answer.status == 503),
        "the queue is full"
    );
    honest.iter().filter(|answer| answer.status == 303).count()
}

#[tokio::test]
async fn a_network_that_fills_the_password_queue_gives_places_to_others() {
    type Address = fn(usize) -> String;
    let floods: [(&str, Address); 3] = [
        ("/64", |n| format!("2001:db8:666::{n:x}")),
        ("/48", |n| format!("2001:db8:666:{n:x}::1")),
        ("/24", |n| format!("198.51.100.{n}")),
    ];
    for (name, address) in floods {
        let honest = honest_sign_ins(address).await;
        println!("{name}: {honest} of 12 honest sign-ins");
        assert_eq!(honest, 12, "{name}");
    }
}

#[tokio::test]
async fn simultaneous_right_sign_ins_of_one_account_all_pass() {
    let server = TestServer::new().await;
    let mut browsers = Vec::new();
    for _ in 0..64 {
        browsers.push(at(&server, "198.51.100.1".to_owned()).await);
    }
    let password = password_of("alice");
    let answers = join_all(browsers.into_iter().map(|one| submit(one, &password))).await;
    assert!(answers.iter().all(|answer| answer.status == 303));
}

#[tokio::test]
async fn a_full_password_queue_is_a_503_that_names_it() {
    let server = TestServer::new().await;
    let mut browsers = Vec::new();
    for n in 0..90 {
        browsers.push(at(&server, "198.51.100.1".to_owned()).await);
        let (_, form) = &mut browsers[n];
        *form = form.clone().fill("username", &format!("made-up-{n}"));
    }
    let answers = join_all(browsers.into_iter().map(|one| submit(one, "wrong"))).await;
    let busy = answers.iter().find(|answer| answer.status == 503);
    let busy = busy.expect("more than there are places");
    assert_eq!(busy.header("retry-after"), "1");
    assert!(busy.body.contains("Many people are signing in"), "{busy:?}");
    assert!(!busy.body.contains("reach its data"));
}
