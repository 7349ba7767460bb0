//! The subjects of trusted issuers that are users.

use super::*;

#[tokio::test]
async fn links_are_those_of_the_file_and_of_users_who_were_not_pruned() {
    let idp = "[[trusted_issuer]]\nissuer = \"https://idp.example\"\n";
    let linked = |user: &str, sub: &str| {
        format!("{user}links = [{{ issuer = \"https://idp.example\", sub = \"{sub}\" }}]\n")
    };
    let subs = async |server: &TestServer| {
        let links = listed::<Link>(&*server.installation.store).await.unwrap();
        let mut subs: Vec<_> = links.into_iter().map(|link| link.sub).collect();
        subs.sort();
        subs
    };
    let server = TestServer::with("").await;
    let added = server
        .reload(&format!("{idp}{}{}", linked(ALICE, "a"), linked(BOB, "b")))
        .await;
    assert_eq!(
        change(&added, "trusted_issuer").added,
        ["https://idp.example"]
    );
    assert_eq!(subs(&server).await, ["a", "b"]);
    assert!(server.installation.app.realm().trusted_issuers[0].has_links);
    // Alice is linked to another subject, bob is no longer declared.
    server.reload(&format!("{}{idp}", linked(ALICE, "c"))).await;
    assert_eq!(subs(&server).await, ["b", "c"]);
    server.prune(&format!("{idp}{ALICE}")).await;
    assert!(subs(&server).await.is_empty());
    assert!(!server.installation.app.realm().trusted_issuers[0].has_links);
}
