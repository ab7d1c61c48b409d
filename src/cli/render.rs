//! `skep render`: the objects the files become. Needs no swarm.

use serde_json::{Value, json};

use crate::desired::{Desired, render};
use crate::model::confidential::HIDDEN;
use crate::plan::Mask;

use super::arguments::{RenderArguments, RenderOutput};
use super::environment::Environment;
use super::exit::Exit;
use super::failure::Failure;
use super::print;
use super::target::{Name, Target, Undeclared};

pub async fn run(arguments: &RenderArguments, environment: &Environment) -> Result<Exit, Failure> {
    let target = Target::load(&arguments.target, environment, Undeclared::Look, Name::Required).await?;
    super::validate::show(&target, environment);
    if target.has_errors() {
        return Err(Failure::Invalid);
    }
    let show = |desired: &Desired| if arguments.show_values { render::stack(desired) } else { shown(desired) };
    let stacks: Vec<Value> = target.stacks.iter().filter_map(|stack| stack.desired.as_ref()).map(show).collect();
    let document = json!({ "stacks": stacks });
    match arguments.output {
        RenderOutput::Json => print::json(&document)?,
        RenderOutput::Yaml => {
            let text = crate::yaml::write(&document).map_err(|error| Failure::output(std::io::Error::other(error)))?;
            print::text(&text)?;
        }
    }
    Ok(Exit::Done)
}

/// The objects without what came out of encrypted files.
fn shown(desired: &Desired) -> Value {
    let mut stack = render::stack(desired);
    let configs = stack.get_mut("configs").and_then(Value::as_array_mut);
    for (shown, config) in configs.into_iter().flatten().zip(desired.configs.values()) {
        if config.confidential
            && let Some(data) = shown.get_mut("Data")
        {
            *data = HIDDEN.into();
        }
    }
    Mask::none().hiding(&desired.confidential).document(&mut stack);
    stack
}
