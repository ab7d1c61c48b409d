#!/bin/sh
# Lets this job reach a manager over ssh: SSH_KEY is a private key, SSH_KNOWN_HOSTS the manager's line of known_hosts.
set -eu
umask 077
mkdir -p "$HOME/.ssh"
printf '%s\n' "$SSH_KEY" >"$HOME/.ssh/id_skep"
printf '%s\n' "$SSH_KNOWN_HOSTS" >"$HOME/.ssh/known_hosts_skep"
host=${DOCKER_HOST#ssh://}
host=${host#*@}
host=${host%%[:/]*}
# Written once, however often the job runs on a machine that is kept.
if ! grep -qsF "# skep: $host" "$HOME/.ssh/config"; then
  cat >>"$HOME/.ssh/config" <<END
# skep: $host
Host $host
  IdentityFile ~/.ssh/id_skep
  IdentitiesOnly yes
  UserKnownHostsFile ~/.ssh/known_hosts_skep
  StrictHostKeyChecking yes
END
fi
