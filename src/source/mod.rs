//! Where stack files come from: git repositories, directories, the deployer's machine.
