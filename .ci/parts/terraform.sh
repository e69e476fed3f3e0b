#!/usr/bin/env bash
# Terraform: what needs no provider everywhere, the rest where the provider can be had.
. "$(dirname "${BASH_SOURCE[0]}")/../part.sh"

export CHECKPOINT_DISABLE=1 # Terraform would ask for news
# In a copy, so that nothing is left in the repository; from the machine's mirror, where it has one.
init_aws_module() {
  find_terraform_mirror
  cp -r infra/terraform/aws "$work/terraform-aws" || return 1
  if [ -n "$TERRAFORM_PROVIDER_MIRROR" ]; then
    printf 'provider_installation {\n  filesystem_mirror {\n    path = "%s"\n  }\n}\n' "$TERRAFORM_PROVIDER_MIRROR" \
      >"$work/terraform.rc"
    export TF_CLI_CONFIG_FILE="$work/terraform.rc"
  fi
  timeout 120 terraform -chdir="$work/terraform-aws" init -input=false -no-color >"$work/terraform.log" 2>&1
}
check_aws_module() {
  terraform -chdir="$work/terraform-aws" validate -no-color && terraform -chdir="$work/terraform-aws" test -no-color
}
if command -v terraform >/dev/null; then
  check "terraform fmt: formatting and syntax" terraform fmt -check -diff -recursive infra/terraform
  if init_aws_module; then
    check "terraform validate and test: aws, with a mock provider" check_aws_module
  elif ! grep -qiE "query available provider packages|could not connect|no such host|timeout" "$work/terraform.log" &&
    [ -s "$work/terraform.log" ]; then
    cat "$work/terraform.log"
    fail "terraform init: aws"
  else
    skip "terraform validate and test" "the AWS provider can't be had here"
    tail -n 5 "$work/terraform.log"
  fi
else
  skip terraform "there is none here"
fi
complete
