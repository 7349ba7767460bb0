//! What is looked at: a file that changes, that is cut off, that is wrong, or that others can write.

use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use super::*;

#[tokio::test]
async fn a_file_that_changes_between_two_looks_keeps_the_realm() {
    let server = TestServer::with(ORDERS).await;
    let whole = format!("{HEAD}{TV}{BOB}");
    // Cut off at a line, it is still a valid file.
    fs::write(server.file(), format!("{HEAD}{TV}")).unwrap();
    let (file, rest) = (server.file().to_owned(), whole.clone());
    *server.between.lock().unwrap() = Some(Box::new(move || fs::write(file, rest).unwrap()));
    let refused = server.take(Reload::default()).await.unwrap_err();
    assert!(refused.contains("still being written"), "{refused}");
    assert!(server.installation.app.realm().client("tv").is_none());
    // No one writes any more.
    server.take(Reload::default()).await.unwrap();
    assert!(server.installation.app.realm().client("tv").is_some());
}

#[tokio::test]
async fn a_file_cut_off_at_any_line_is_taken_or_refused_and_prunes_nothing() {
    let tables = format!("{ORDERS}{API}{SHIPPER}{TV}{ALICE}{BOB}");
    let server = TestServer::with(&tables).await;
    let whole = format!("{HEAD}{tables}");
    let lines: Vec<&str> = whole.lines().collect();
    let (mut taken, mut seem_cut) = (0, 0);
    for kept in 0..=lines.len() {
        let cut = lines[..kept].join("\n");
        // At the end of a line, before its line break.
        fs::write(server.file(), &cut).unwrap();
        match server.take(Reload::default()).await {
            Ok(_) => assert_eq!(kept, lines.len()),
            Err(why) => assert!(why.contains("grantor.toml"), "{why}"),
        }
        fs::write(server.file(), cut + "\n").unwrap();
        match server.take(Reload::default()).await {
            Ok(reloaded) => {
                taken += 1;
                let mut changes = reloaded.changes.iter();
                assert!(changes.all(|it| it.changed.is_empty()), "{reloaded}");
            }
            Err(why) => {
                assert!(why.contains("grantor.toml"), "{why}");
                seem_cut += usize::from(why.contains("seems cut off in its last table: "));
            }
        }
        assert_eq!(server.token("orders", SECRET).await, 200, "{kept}");
        assert!(server.user("bob").await.enabled, "{kept}");
        let realm = server.installation.app.realm();
        assert_eq!(realm.resources.len(), 1, "{kept}");
        assert_eq!(server.declared_clients().await, ["orders", "shipper", "tv"]);
        server.reload(&tables).await;
    }
    assert!(taken > 6, "{taken}");
    assert!(seem_cut > 2, "{seem_cut}");
    let realm = server.installation.app.realm();
    assert_eq!(realm.clients.len(), 3);
    assert_eq!(realm.resources.len(), 1);
}

#[tokio::test]
async fn an_invalid_file_keeps_the_realm_and_is_refused_by_file_line_and_key() {
    let server = TestServer::with(ORDERS).await;
    server.write(&format!("{ORDERS}grnats = []\n"));
    let why = server.take(Reload::default()).await.unwrap_err();
    assert!(
        why.contains("grantor.toml:7:1: unknown key \"grnats\""),
        "{why}"
    );
    server.write(&format!("{TV}secret_env = \"TV_SECRET\"\n"));
    let why = server.take(Reload::default()).await.unwrap_err();
    let expected = "TV_SECRET is not set in the server's environment, which it keeps from its start: restart it";
    assert!(why.contains(expected), "{why}");
    let other = Reload {
        file: Some("/other.toml".to_owned()),
        ..Reload::default()
    };
    let why = server.take(other).await.unwrap_err();
    assert!(why.contains("grantor.toml, not /other.toml: run"), "{why}");
    fs::remove_file(server.file()).unwrap();
    let why = server.take(Reload::default()).await.unwrap_err();
    assert!(why.contains("grantor.toml: No such file"), "{why}");
    assert_eq!(server.token("orders", SECRET).await, 200);
}

#[tokio::test]
async fn a_changed_file_of_secrets_changes_its_client() {
    let folder = TempDir::new().unwrap();
    let secrets = folder.path().join("orders");
    fs::write(&secrets, "the first secret of forty characters, ok\n").unwrap();
    let client = format!(
        "[[client]]\nid = \"orders\"\nsecret_file = {secrets:?}\ngrants = [\"client_credentials\"]\n"
    );
    let server = TestServer::with(&client).await;
    fs::write(&secrets, "the second secret of forty characters, o\n").unwrap();
    let reloaded = server.reload(&client).await;
    assert_eq!(change(&reloaded, "client").changed, ["orders"]);
    assert_eq!(
        server
            .token("orders", "the first secret of forty characters, ok")
            .await,
        401
    );
    assert_eq!(
        server
            .token("orders", "the second secret of forty characters, o")
            .await,
        200
    );
    // It, too, may be half written.
    let half = secrets.clone();
    let rest =
        Box::new(move || fs::write(half, "a third secret of forty characters, so\n").unwrap());
    fs::write(&secrets, "a third").unwrap();
    *server.between.lock().unwrap() = Some(rest);
    let refused = server.take(Reload::default()).await.unwrap_err();
    assert!(refused.contains("still being written"), "{refused}");
}

#[tokio::test]
async fn a_file_that_others_can_write_or_that_is_none_is_refused() {
    let server = TestServer::with(ORDERS).await;
    let file = server.file().to_owned();
    let refusal = async || server.take(Reload::default()).await.unwrap_err();

    fs::set_permissions(&file, Permissions::from_mode(0o666)).unwrap();
    let why = refusal().await;
    assert!(
        why.contains("others on this machine can write it: chmod o-w"),
        "{why}"
    );
    fs::set_permissions(&file, Permissions::from_mode(0o664)).unwrap();
    // A group that is not the owner's own: only root can give the file to one.
    if std::os::unix::fs::chown(&file, None, Some(4711)).is_ok() {
        let why = refusal().await;
        assert!(
            why.contains("its group (id 4711) can write it: chmod g-w"),
            "{why}"
        );
    }
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();

    fs::set_permissions(server.folder.path(), Permissions::from_mode(0o777)).unwrap();
    let why = refusal().await;
    assert!(
        why.contains("others on this machine can replace it"),
        "{why}"
    );
    fs::set_permissions(server.folder.path(), Permissions::from_mode(0o700)).unwrap();

    // A link is followed, as a mounted file is one; what is at its end is not repeated.
    let secret = server.folder.path().join("secret");
    fs::write(&secret, "password-of-the-database\n= 1").unwrap();
    fs::remove_file(&file).unwrap();
    symlink(&secret, &file).unwrap();
    let why = refusal().await;
    assert!(!why.contains("password-of"), "{why}");

    let huge = fs::File::create(&secret).unwrap();
    huge.set_len(1 << 40).unwrap();
    let why = refusal().await;
    assert!(why.contains("holds more than 16 MiB"), "{why}");

    fs::remove_file(&file).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &file,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
    let why = refusal().await;
    assert!(why.contains("is not a file"), "{why}");
    assert_eq!(server.token("orders", SECRET).await, 200);
}
