//! Plain scopes, and who belongs to organizations.

use super::*;

#[test]
fn problems_of_plain_scopes_point_at_the_member_and_its_item() {
    let parts = parts();
    let mut realm = parts.realm();
    let gives = [
        "grantor/clients:own",
        "grantor/clients:owned",
        "orders/read",
    ]
    .map(|right| right.parse::<ScopeToken>().unwrap());
    let claims = [("sub".to_owned(), Source::ClientId)].into();
    let none = BTreeMap::new();
    let plain = |name| PlainScopeSpec {
        name,
        resource: None,
        claims: &none,
        gives: &[],
    };
    realm.scopes = ["inspect", "elsewhere/read", "orders"].map(plain).into();
    assert_eq!(realm.problems(), []);
    realm.scopes = [
        "openid",
        "groups",
        "grantor",
        "grantor/x",
        "orders/read",
        "orders/other",
        "inspect",
        "inspect",
    ]
    .map(plain)
    .into();
    realm.scopes[6] = PlainScopeSpec {
        resource: Some("order"),
        claims: &claims,
        gives: &gives,
        ..plain("inspect")
    };
    assert_eq!(
        pointers(&realm.problems()),
        [
            "/scope/7/name",
            "/scope/0/name",
            "/scope/1/name",
            "/scope/2/name",
            "/scope/3/name",
            "/scope/4/name",
            "/scope/5/name",
            "/scope/6/resource",
            "/scope/6/claims/sub",
            "/scope/6/gives/1",
            "/scope/6/gives/2",
        ]
    );
}

#[test]
fn an_organization_of_users_and_clients_is_declared() {
    let parts = parts();
    let (acme, acne): (OrganizationId, OrganizationId) =
        ("acme".parse().unwrap(), "acne".parse().unwrap());
    let mut realm = parts.realm();
    realm.organizations = vec![OrganizationSpec { id: &acme }; 2];
    realm.clients = [
        (Some(&acne), Availability::Everyone, false),
        (None, Availability::Organization, false),
        (Some(&acme), Availability::Owner, false),
        (Some(&acme), Availability::Owner, true),
        (Some(&acme), Availability::Organization, false),
    ]
    .map(|(organization, availability, has_owner)| ClientSpec {
        organization,
        availability,
        has_owner,
        ..parts.client()
    })
    .into();
    realm.users[0].organization = Some(&acne);
    let problems = realm.problems();
    let others = problems
        .iter()
        .filter(|it| !it.pointer.to_string().ends_with("/id"));
    let others: Vec<_> = others.cloned().collect();
    assert_eq!(
        pointers(&others),
        [
            "/client/0/organization",
            "/client/1/availability",
            "/client/2/availability",
            "/user/0/organization",
        ]
    );
    assert!(pointers(&problems).contains(&"/organization/1/id".to_owned()));
}
