use super::*;
use grantor_config::{Environment, parse as settings_of};

fn settings(folder: &Path, more: &str) -> Settings {
    let text = format!("issuer = \"http://127.0.0.1:8080\"\n{more}");
    let environment: Environment = [("KEY", "07".repeat(32))].into_iter().collect();
    settings_of(&text, "grantor.toml", folder, &environment).unwrap()
}

fn put(path: &Path, text: &str) {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

#[test]
fn the_first_start_makes_a_key_that_only_its_owner_reads_and_later_ones_keep_it() {
    let folder = tempfile::TempDir::new().unwrap();
    let settings = settings(folder.path(), "");
    let (made, source) = load(&settings, true, [7; 32]).unwrap();
    assert_eq!(source, Source::File(folder.path().join("grantor.key")));
    let file = folder.path().join("grantor.key");
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert!(
        fs::read_to_string(&file)
            .unwrap()
            .starts_with("# The master key")
    );
    for never_used in [true, false] {
        let (read, _) = load(&settings, never_used, [8; 32]).unwrap();
        assert_eq!(read.current().reveal(), made.current().reveal());
    }
}

#[test]
fn a_key_is_read_from_base64url_or_hexadecimal_with_comments_around() {
    let base64url = URL_SAFE_NO_PAD.encode([7; 32]);
    for text in [
        base64url.clone(),
        "07".repeat(32),
        format!("\n# a key\r\n  {base64url} \r\n\n"),
    ] {
        assert_eq!(parse(&text).unwrap().current().reveal(), &[7; 32], "{text}");
    }
}

#[test]
fn a_malformed_key_is_refused_and_not_repeated() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("grantor.key");
    let two = format!("{0}\n{0}\n", "07".repeat(32));
    for text in [
        "",
        "# only a comment",
        "hunter2",
        &"07".repeat(31),
        &"0g".repeat(32),
        &two,
    ] {
        put(&path, text);
        let error = load(&settings(folder.path(), ""), true, [7; 32]).unwrap_err();
        assert!(matches!(error, MasterKeyError::Malformed(_)), "{error}");
        assert!(
            text.is_empty() || !error.to_string().contains(text),
            "{error}"
        );
    }
}

#[test]
fn a_key_that_others_may_read_is_refused() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("grantor.key");
    put(&path, &"07".repeat(32));
    for mode in [0o640, 0o604, 0o620] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let error = load(&settings(folder.path(), ""), true, [7; 32]).unwrap_err();
        assert!(
            error.to_string().contains(&format!("(mode {mode:o})")),
            "{error}"
        );
    }
}

#[test]
fn a_used_store_gets_no_new_key() {
    let folder = tempfile::TempDir::new().unwrap();
    let error = load(&settings(folder.path(), ""), false, [7; 32]).unwrap_err();
    assert!(matches!(error, MasterKeyError::Missing(_)), "{error}");
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        0,
        "nothing was made"
    );
}

#[test]
fn a_store_in_memory_needs_no_file() {
    let folder = tempfile::TempDir::new().unwrap();
    let settings = settings(folder.path(), "store = \"memory:\"\n");
    let (_, source) = load(&settings, true, [7; 32]).unwrap();
    assert_eq!(source, Source::Random);
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        0,
        "nothing was made"
    );
}

#[test]
fn the_environment_can_hold_the_key() {
    let folder = tempfile::TempDir::new().unwrap();
    let settings = settings(folder.path(), "key_env = \"KEY\"\n");
    let (key, source) = load(&settings, false, [8; 32]).unwrap();
    assert_eq!(key.current().reveal(), &[7; 32]);
    assert_eq!(source.to_string(), "key_env KEY");
}

fn both() -> MasterKeys {
    MasterKeys::from(MasterKey::new([7; 32])).with_new(MasterKey::new([8; 32]))
}

fn bytes(keys: &MasterKeys) -> Vec<[u8; 32]> {
    keys.all().map(|key| *key.reveal()).collect()
}

#[test]
fn of_several_keys_the_first_seals_and_the_others_open() {
    let text = format!("# new\n{}\n# old\n{}\n", "08".repeat(32), "07".repeat(32));
    assert_eq!(bytes(&parse(&text).unwrap()), [[8; 32], [7; 32]]);
    let line = format!("{} {}", "08".repeat(32), "07".repeat(32));
    assert_eq!(bytes(&parse(&line).unwrap()), [[8; 32], [7; 32]]);
}

#[test]
fn a_file_that_is_replaced_holds_all_keys_and_is_its_owners() {
    let folder = tempfile::TempDir::new().unwrap();
    let settings = settings(folder.path(), "");
    load(&settings, true, [7; 32]).unwrap();
    let path = folder.path().join("grantor.key");
    // What an interrupted rotation left.
    put(&folder.path().join("grantor.key.new"), "half a k");
    replace(&path, &both()).unwrap();
    let (read, _) = load(&settings, false, [9; 32]).unwrap();
    assert_eq!(bytes(&read), [[8; 32], [7; 32]]);
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_link_to_the_file_stays_a_link() {
    let folder = tempfile::TempDir::new().unwrap();
    let (real, link) = (
        folder.path().join("real"),
        folder.path().join("grantor.key"),
    );
    put(&real, &"07".repeat(32));
    std::os::unix::fs::symlink(&real, &link).unwrap();
    replace(&link, &both()).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(bytes(&read(&real).unwrap().unwrap()), [[8; 32], [7; 32]]);
}

#[test]
fn a_key_is_named_by_an_id_that_tells_nothing_of_it() {
    let ids: Vec<_> = both().all().map(MasterKey::id).collect();
    assert_ne!(ids[0], ids[1]);
    assert!(ids.iter().all(|id| id.len() == 8 && id != "08080808"));
}
