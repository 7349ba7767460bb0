//! `/admin/first`: makes the first administrator, by the code that the server wrote into a file at its start.

use axum::response::Response;
use grantor_core::base::secret::Secret;
use grantor_core::people::{
    CreateFirstAdministrator, CreateFirstAdministratorReply, HadAdministrator,
};
use http::StatusCode;

use crate::context::{Context, PostedForm, TypedForm, typed_again};
use crate::pages::{AdminFirst, AdminFirstProblem, PageError};

const MAX_SHOWN_CHARS: usize = 256;

pub(crate) async fn get(context: Context) -> Response {
    if !context.realm().api.enabled {
        return context.error_page(PageError::NotFound);
    }
    match context.run(HadAdministrator).await {
        Ok(outcome) => match outcome.reply {
            Ok(true) => page(
                &context,
                StatusCode::OK,
                String::new(),
                None,
                Some(String::new()),
            ),
            _ => page(&context, StatusCode::OK, String::new(), None, None),
        },
        Err(error) => context.unavailable(&error),
    }
}

pub(crate) async fn post(TypedForm(posted): TypedForm) -> Response {
    let PostedForm { context, params } = posted;
    if !context.realm().api.enabled {
        return context.error_page(PageError::NotFound);
    }
    let params = match params {
        Ok(params) => params,
        Err(error) => return context.error_page(error.into()),
    };
    let field = |name| params.opt(name).unwrap_or_default();
    let username = field("username").to_owned();
    let create = CreateFirstAdministrator {
        code: Secret::new(field("code").trim()),
        username: username.clone(),
        password: Secret::new(field("password")),
    };
    let Ok(reply) = match context.run(create).await {
        Ok(outcome) => outcome.reply,
        Err(error) => return context.unavailable(&error),
    };
    let problem = match reply {
        CreateFirstAdministratorReply::Done { username } => {
            return page(
                &context,
                StatusCode::OK,
                String::new(),
                None,
                Some(username),
            );
        }
        CreateFirstAdministratorReply::NotValid => AdminFirstProblem::Code,
        CreateFirstAdministratorReply::NameTaken => AdminFirstProblem::NameTaken,
        CreateFirstAdministratorReply::InvalidName => AdminFirstProblem::Name,
        CreateFirstAdministratorReply::InvalidPassword => AdminFirstProblem::Password,
    };
    let username = typed_again(&username, MAX_SHOWN_CHARS);
    page(
        &context,
        StatusCode::BAD_REQUEST,
        username,
        Some(problem),
        None,
    )
}

fn page(
    context: &Context,
    status: StatusCode,
    username: String,
    problem: Option<AdminFirstProblem>,
    done: Option<String>,
) -> Response {
    let page = AdminFirst {
        site: context.site().clone(),
        username,
        problem,
        done,
        trace_id: context.caller.trace.as_str().to_owned(),
    };
    context.page(status, &page)
}
