//! What can be done with which kind of object, as traits: what a kind cannot do does not compile.

use serde::Serialize;

use crate::swarm::{
    Config, ConfigSpec, Network, NetworkSpec, Node, NodeSpec, Predecessor, Resource, SecretObject, SecretSpec, Service,
    ServiceSpec, Task, Tenant,
};

mod sealed {
    pub trait Sealed {}
}

/// A kind that the engine lists.
pub trait Listable: Resource + sealed::Sealed {
    /// The endpoint: `services`.
    #[doc(hidden)]
    const PATH: &'static str;
}

/// A kind whose objects bear their stack's label.
pub trait Stacked: Listable {}

/// A kind that can be made.
pub trait Create: Listable {
    /// What it is made from.
    type Spec: Serialize + Sync;
    /// The name in a spec.
    #[doc(hidden)]
    fn name(spec: &Self::Spec) -> &str;
}

/// A kind that can be written over, under its version.
pub trait Replace: Listable {
    /// What it is replaced with.
    type Spec: Serialize + Sync;
    /// The name in a spec, empty where it has none.
    #[doc(hidden)]
    fn name(spec: &Self::Spec) -> &str;
}

/// A kind that can be deleted.
pub trait Delete: Listable {}

macro_rules! kinds {
    ($($kind:ty, $path:literal, [$($ability:ident $(($spec:ty, $name:expr))?),*];)*) => {$(
        impl sealed::Sealed for $kind {}
        impl Listable for $kind {
            const PATH: &'static str = $path;
        }
        $(kinds!(@ $kind, $ability $(, $spec, $name)?);)*
    )*};
    (@ $kind:ty, $ability:ident) => { impl $ability for $kind {} };
    (@ $kind:ty, $ability:ident, $spec:ty, $name:expr) => {
        impl $ability for $kind {
            type Spec = $spec;
            fn name(spec: &$spec) -> &str {
                let name: fn(&$spec) -> &str = $name;
                name(spec)
            }
        }
    };
}

kinds! {
    Service, "services", [Stacked, Create(ServiceSpec, |s| &s.name), Replace(ServiceSpec, |s| &s.name), Delete];
    Network, "networks", [Stacked, Create(NetworkSpec, |s| &s.name), Delete];
    Config, "configs", [Stacked, Create(ConfigSpec, |s| &s.name), Replace(ConfigSpec, |s| &s.name), Delete];
    SecretObject, "secrets", [Stacked, Create(SecretSpec, |s| &s.name), Replace(SecretSpec, |s| &s.name), Delete];
    Node, "nodes", [Replace(NodeSpec, |s| &s.name)];
    Task, "tasks", [Stacked];
    Tenant, "tasks", [];
    Predecessor, "services", [];
}
