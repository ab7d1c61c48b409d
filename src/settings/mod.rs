//! `skep.yaml` and the controller's configuration: types, defaults, merging, validation.
