#!/bin/sh
# Posts a report as one comment on a merge request, or edits the one that it posted before.
#
#   comment.sh github FILE     needs GITHUB_TOKEN, GITHUB_REPOSITORY and PULL_REQUEST (its number); Gitea and Forgejo are the same
#   comment.sh gitlab FILE     needs GITLAB_TOKEN; a merge request pipeline sets the rest
#
# The first line of FILE is an HTML comment that nobody sees (`skep plan -o markdown` writes it); a comment that begins with the
# same line is the one to edit. It needs curl and jq.
set -eu

forge=$1
file=$2
marker=$(head -n 1 "$file")
case $marker in
  '<!-- '*' -->') ;;
  *) echo "comment.sh: $file does not begin with an HTML comment, so the comment could not be found again" >&2; exit 1 ;;
esac

case $forge in
  github)
    api=${GITHUB_API_URL:-https://api.github.com}/repos/$GITHUB_REPOSITORY/issues
    comments=$api/$PULL_REQUEST/comments
    comment=$api/comments
    header="Authorization: Bearer $GITHUB_TOKEN"
    edit=PATCH
    ;;
  gitlab)
    comments=$CI_API_V4_URL/projects/$CI_PROJECT_ID/merge_requests/$CI_MERGE_REQUEST_IID/notes
    comment=$comments
    header="PRIVATE-TOKEN: $GITLAB_TOKEN"
    edit=PUT
    ;;
  *) echo "comment.sh: github or gitlab, and not $forge" >&2; exit 1 ;;
esac

# The token goes by way of a file: whoever lists processes would read it among the arguments.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
( umask 077; printf '%s\n' "$header" >"$work/header" )

request() {
  curl --silent --show-error --fail-with-body --max-time 60 --header @"$work/header" --header 'Accept: application/json' "$@"
}

# The id of the comment that begins with the marker, page by page.
find_comment() {
  page=1
  while :; do
    request "$comments?per_page=100&page=$page" >"$work/page"
    id=$(jq -r --arg marker "$marker" 'first(.[] | select(.body // "" | startswith($marker)) | .id) // empty' <"$work/page")
    if [ -n "$id" ]; then echo "$id"; return; fi
    if [ "$(jq length <"$work/page")" -eq 0 ]; then return; fi
    page=$((page + 1))
  done
}

jq --raw-input --slurp '{ body: . }' <"$file" >"$work/body"
id=$(find_comment)
if [ -n "$id" ]; then
  request --request "$edit" --header 'Content-Type: application/json' --data @"$work/body" "$comment/$id" >/dev/null
  echo "comment $id edited"
else
  id=$(request --request POST --header 'Content-Type: application/json' --data @"$work/body" "$comments" | jq -r .id)
  echo "comment $id posted"
fi
