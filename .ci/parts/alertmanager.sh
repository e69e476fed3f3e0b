#!/usr/bin/env bash
# Alertmanager of Debian, and what it says of our files: those of the empty environment, and of a filled one.
. "$(dirname "${BASH_SOURCE[0]}")/../part.sh"
needs packages alertmanager

check_messages() {
  local folder="$1" template
  for template in backend.title backend.slack.text backend.email.text; do
    amtool template render --template.glob="$folder/templates/*.tmpl" --template.text="{{ template \"$template\" . }}" |
      grep -q . || return 1
  done
  amtool template render --template.glob="$folder/templates/*.tmpl" --template.type=html \
    --template.text='{{ template "backend.email.html" . }}' | grep -q '</html>'
}
check_routes() {
  local file="$1" severity receiver
  shift
  amtool check-config "$file" || return 1
  for severity in critical warning ticket none; do
    receiver="$1"
    shift
    amtool config routes test --config.file="$file" --verify.receivers="$receiver" \
      alertname=Any job=backend severity="$severity" 2>/dev/null || return 1
  done
}
check_alertmanager() {
  check_routes infra/monitoring/alertmanager/alertmanager.yml null null null null || return 1
  ALERTMANAGER_EMAIL_TO=night@example.org,day@example.org ALERTMANAGER_SMTP_SMARTHOST=mail.example.org:587 \
    ALERTMANAGER_SMTP_FROM=backend@example.org ALERTMANAGER_SMTP_AUTH_USERNAME=backend \
    ALERTMANAGER_SLACK_CHANNEL='#alerts' ALERTMANAGER_DEADMANSSWITCH_URL=https://switch.example.org/ping \
    node infra/monitoring/alerting/write-receivers.ts "$work/receivers" || return 1
  check_routes "$work/receivers/alertmanager/alertmanager.yml" critical warning ticket dead-mans-switch || return 1
  check_messages "$work/receivers/alertmanager"
}
check "Alertmanager's files, routes and messages (amtool)" check_alertmanager
complete
