//! `grantor why`: what happened to one request, in words.

use std::process::ExitCode;

use clap::Args;
use grantor_config::Environment;
use grantor_core::base::check::Check;
use grantor_core::engine::explain::{Explained, named};
use grantor_server::admin::api::{GetTrace, Trace};

use super::administer::{Common, administer};
use super::events::trace_id;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The trace_id of an error, or the x-request-id of any answer
    #[arg(value_name = "TRACE_ID", value_parser = trace_id)]
    trace_id: String,
    #[command(flatten)]
    common: Common,
}

pub fn run(arguments: &Arguments, environment: &Environment) -> ExitCode {
    let settings = match arguments.common.settings(environment) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    let request = GetTrace {
        trace_id: arguments.trace_id.clone(),
    };
    administer(&arguments.common, &settings, &request, |trace| {
        Some(text(&trace))
    })
}

fn text(Trace { trace_id, events }: &Trace) -> String {
    let mut text = format!("Trace {trace_id}\n");
    for event in events {
        let Explained {
            at,
            kind,
            check,
            what,
            why,
            advice,
            ..
        } = event;
        text += &format!("\n{at}  {kind}\n  {what}\n");
        if let Some(check) = check {
            let words = named::<Check>(check).map(|check| format!(": {}", check.words()));
            text += &format!("  Check: {check}{}.\n", words.unwrap_or_default());
        }
        for (label, sentence) in [("Why", why), ("What to do", advice)] {
            if let Some(sentence) = sentence {
                text += &format!("  {label}: {sentence}\n");
            }
        }
    }
    text
}
