# shellcheck shell=bash
# Part of run.sh: .env, read as Compose reads it, and written so that `docker compose` without run.sh means the same.

# Ends each line of .env that run.sh has decided; it is taken out when that is decided otherwise.
mark='# by ./run.sh'
key_file=.cache/api-key

# The value of NAME in .env (quotes, comments), empty without one. For what reaches the container by its env_file: of the
# shell's environment it sees nothing.
env_value() {
  local line
  line="$(grep -E "^(export )?$1=" "${2:-.env}" 2>/dev/null | tail -n 1 || true)"
  line="${line#*=}"
  line="${line#"${line%%[![:space:]]*}"}"
  case "$line" in
    \"*\"*)
      line="${line#\"}"
      line="${line%%\"*}"
      ;;
    \'*\'*)
      line="${line#\'}"
      line="${line%%\'*}"
      ;;
    *)
      line="${line%%[[:space:]]#*}"
      [[ "$line" != \#* ]] || line=""
      line="${line%"${line##*[![:space:]]}"}"
      ;;
  esac
  printf '%s' "$line"
}

# The value of NAME: the environment's, else that of .env, else the default. For what Compose itself puts in.
value() {
  local found="${!1:-}"
  [ -n "$found" ] || found="$(env_value "$1")"
  printf '%s' "${found:-$2}"
}

# Takes the lines of stdin for .env: whole or not at all, with the owner and the rights that it had.
replace_env() {
  local file=.env new
  [ ! -L .env ] || file="$(readlink -f .env)"
  new="$(mktemp "$file.XXXXXX")" # for us alone
  cat >"$new"
  if cmp -s "$new" "$file"; then
    rm -f "$new"
    return
  fi
  if [ -e "$file" ]; then
    # Copied over first, for owner and rights, and then filled: never with wider ones than they had.
    local kept="$new.kept"
    cp -p "$file" "$kept"
    cat "$new" >"$kept"
    rm -f "$new"
    new="$kept"
  fi
  mv -f "$new" "$file"
}

# Puts NAME=VALUE where .env has that name, else at its end. It stays, whatever is decided later.
set_line() {
  awk -v name="$1" -v line="$1=$2" '
    { lines[NR] = $0; if ($0 ~ "^(export )?" name "=") last = NR }
    END { for (i = 1; i <= NR; i++) print i == last ? line : lines[i]; if (!last) print line }' .env | replace_env
}

decisions=()
# NAME=VALUE for this run, and in .env for `docker compose` without it. What .env or the environment says itself stands.
decide() {
  local own
  own="$(own_value "$1")"
  [ -n "$own" ] || decisions+=("$1=$2 $mark")
  [ -n "${!1:-}" ] || printf -v "$1" '%s' "${own:-$2}"
  export "${1?}"
}

# As env_value, of the lines that are not ours.
own_value() { env_value "$1" <(grep -vF " $mark" .env); }

# At once, when all is decided: what was decided the last time and is not any more goes with it.
write_decisions() {
  {
    grep -vF " $mark" .env | awk '{ print }' || true # awk: a line end after the last line
    [ ${#decisions[@]} = 0 ] || printf '%s\n' "${decisions[@]}"
  } | replace_env
}

sha256() { if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi | cut -d ' ' -f 1; }

# Calls need a key unless somebody has said otherwise: Compose publishes the port, and lets everybody in without one.
ensure_key() {
  local key
  # For us alone from the first: passwords are written into it later.
  [ -e .env ] || (umask 077 && printf '# Written by ./run.sh up. All settings: .env.example\n' >.env)
  if [ -n "$(env_value API_KEYS)$(env_value API_KEYS_FILE)" ]; then return; fi
  if [ "$(value AUTH__DISABLED '')" = true ]; then
    printf 'AUTH__DISABLED=true: calls need no API key.\n'
    return
  fi
  (
    umask 077
    mkdir -p .cache
    [ -s "$key_file" ] || od -An -N24 -tx1 /dev/urandom | tr -d ' \n' >"$key_file"
  )
  key="$(tr -d '\n' <"$key_file")"
  set_line API_KEYS "demo:$(printf '%s' "$key" | sha256)"
  set_line AUTH__DISABLED false
  printf 'The API key of owner "demo" is in %s, and its hash in .env: calls without a key are answered 401.\n' "$key_file"
}
