terraform {
  # Write-only arguments: 1.11; in the provider: 5.87.
  required_version = ">= 1.11"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.87, < 7.0"
    }
  }
}
