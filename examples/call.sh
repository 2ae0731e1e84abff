#!/bin/sh
# Calls a service with the API key of the person who runs it.
#
#   export HEEX_API_KEY=heex_prod_…
#   examples/call.sh http://127.0.0.1:8080/
set -eu
: "${HEEX_API_KEY:?Set HEEX_API_KEY to your API key: copy it from the Heex Keys popup}"

# The header comes by standard input: on the command line everyone on this machine could read it.
printf 'X-API-Key: %s\n' "$HEEX_API_KEY" |
  curl --silent --show-error --fail-with-body --header @- "${1:-http://127.0.0.1:8080/}"
