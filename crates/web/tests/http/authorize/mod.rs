//! Signing in to apps, as the OpenID Foundation's Config, Basic and Form Post plans demand it, item by item of a checklist
//! of what their modules look at:
//!
//! | item | test |
//! |--|--|
//! | 1 issuer | `metadata::rfc8414_2_the_issuer_is_named_as_it_is_configured_and_all_else_is_below_it` |
//! | 2 endpoints are https | the same |
//! | 3 names | `discovery::metadata_has_registered_names_only` |
//! | 4 to 8 lists | `discovery::the_lists_of_the_metadata_are_as_the_config_plan_wants_them` |
//! | 9 client authentication | `metadata::every_advertised_authentication_method_works` |
//! | 10, 11 keys | `discovery::every_key_has_a_different_kid`, `metadata::rfc7517_5_the_key_set_holds_public_members_only` |
//! | 12 rotation | `rotation::tokens_of_a_retiring_key_keep_working_and_new_ones_are_of_the_new_key` |
//! | 14 RFC 8414 | `metadata::rfc8414_3_2_both_documents_are_the_same_json` |
//! | 16 POST | `request::a_post_is_answered_as_a_get_is` |
//! | 17 order | `request::the_order_of_parameters_and_scopes_is_irrelevant` |
//! | 18, 35, 36 hints | `request::unknown_parameters_and_hints_never_fail`, `request::a_login_hint_is_filled_in` |
//! | 19 response_type | `request::rfc6749_4_1_2_1_a_missing_or_unsupported_response_type_is_returned_to_the_client` |
//! | 20 nonce | `request::a_nonce_is_returned_and_none_is_invented` |
//! | 21 state | `request::state_is_returned_unchanged` |
//! | 22 redirect_uri | `attacks::redirects::no_variation_of_a_registered_redirect_uri_is_accepted` |
//! | 23 its query | `request::a_redirect_uri_with_a_query_keeps_it` |
//! | 24 none | `request::without_a_redirect_uri_there_is_no_default_among_several` |
//! | 25, 26 success | `response::a_success_is_code_state_and_iss_in_the_query_alone` |
//! | 25 to 28 errors | `response::an_error_has_the_members_and_characters_of_rfc6749_and_nothing_else` |
//! | 29 | `prompt::prompt_none_without_a_session_is_login_required` |
//! | 30 | `prompt::prompt_none_after_consent_is_silent_and_gives_the_same_user` |
//! | 31 | `prompt::prompt_login_asks_for_the_password_again_and_auth_time_is_later` |
//! | 32, 33 max_age | `prompt::max_age_asks_again_when_the_sign_in_is_older_and_only_then` |
//! | 34 id_token_hint | `prompt::an_id_token_hint_of_the_user_is_silent_and_of_another_user_is_not` |
//! | 36, 37 acr | `claims::acr_is_always_returned_and_an_essential_one_is_met_or_refused` |
//! | 38 claims | `claims::an_individually_requested_claim_is_returned_where_it_was_requested` |
//! | 39 PKCE | `request::pkce_works_for_every_client_and_is_required_of_public_ones` |
//! | 40 to 42 request objects | `request::request_objects_are_refused_as_the_metadata_says`; 43 is for those who take them |
//! | 44 form_post | `response::form_post_sends_success_and_error_in_the_body_and_nothing_in_the_address` |
//! | 45 offline_access | `response::offline_access_with_consent_gives_a_refresh_token` |
//! | 46 the code | `response::a_code_is_long_and_has_more_than_96_bits` |
//! | 47, 48, 60 tokens | `tokens::a_code_becomes_tokens` |
//! | 49 to 51 the ID token | `tokens::an_id_token_has_subject_audience_and_times` |
//! | 52, 53, 64 claims | `claims::each_scope_gives_every_claim_of_it_and_no_other`, `claims::claims_without_a_value_are_left_out` |
//! | 54 reuse | `tokens::a_code_used_twice_is_refused_and_its_tokens_are_revoked` |
//! | 55 Basic and post | `tokens::a_secret_comes_by_basic_or_in_the_body` |
//! | 58 refresh | `tokens::a_refreshed_id_token_has_the_same_user_and_a_new_iat` |
//! | 59 of another client | `tokens::another_clients_code_or_refresh_token_is_an_invalid_grant_and_ends_nothing` |
//! | 61 errors | `tokens::every_refusal_of_a_code_is_an_error_of_rfc6749` |
//! | 62, 63 userinfo | `userinfo::userinfo_by_get_and_by_both_kinds_of_post_says_the_sub_of_the_id_token` |
//!
//! Items 13, 56, 57 and 65 concern features that are not built (PAR, DPoP, `private_key_jwt`, signed userinfo), 15 sign-out.

use std::collections::BTreeMap;

use serde_json::Value;

use grantor_testkit::redirect_uri;
use grantor_testkit::server::{Answer, FlowResult, Form, claims};

mod claims;
mod consent_page;
mod discovery;
mod prompt;
mod request;
mod resource;
mod response;
pub(crate) use response::FAULTS;
mod tokens;
mod userinfo;
mod who_is_meant;

/// The claims of the ID token.
fn id(tokens: &Answer) -> Value {
    claims(&tokens.member("id_token"))
}

/// What an app was given, in its query or by POST.
pub(crate) fn given(result: &FlowResult, app: &str) -> BTreeMap<String, String> {
    if result.answer.status == 303 {
        return result.redirect().1;
    }
    Form::of(&result.answer, redirect_uri(app)).fields
}

/// A page of ours that leads nowhere (RFC 6749 section 4.1.2.1).
pub(crate) fn assert_stays(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.header("location"), "");
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    assert!(
        answer.body.contains("id=\"error\"") && !answer.body.contains("<form"),
        "{answer:?}"
    );
}

/// A JWT with another first character of its signature.
pub(crate) fn changed(token: &str) -> String {
    let (signed, signature) = token.rsplit_once('.').expect("a JWT");
    let first = if signature.starts_with('A') { "B" } else { "A" };
    format!("{signed}.{first}{}", &signature[1..])
}

/// Shannon's entropy of a text by its own characters, in bits.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of characters of a token"
)]
pub(crate) fn entropy(text: &str) -> f64 {
    let mut counts = BTreeMap::new();
    for character in text.chars() {
        *counts.entry(character).or_insert(0_usize) += 1;
    }
    let length = text.chars().count() as f64;
    let bits = |count: usize| -(count as f64 / length) * (count as f64 / length).log2();
    length * counts.into_values().map(bits).sum::<f64>()
}
