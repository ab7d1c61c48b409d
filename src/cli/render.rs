//! `skep render`: the objects the files become. Needs no swarm.

use serde_json::{Value, json};

use crate::desired::render;

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
    let stacks: Vec<Value> =
        target.stacks.iter().filter_map(|stack| stack.desired.as_ref()).map(render::stack).collect();
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
