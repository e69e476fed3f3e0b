resource "aws_s3_bucket" "files" {
  bucket        = var.bucket_name
  bucket_prefix = var.bucket_name == null ? "${substr(var.name, 0, 36)}-" : null
  # Files without their rows are of no use, but rows without their files neither: never with something in it.
  force_destroy = !var.deletion_protection
  tags          = local.tags
}

resource "aws_s3_bucket_public_access_block" "files" {
  bucket = aws_s3_bucket.files.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "files" {
  bucket = aws_s3_bucket.files.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "files" {
  bucket = aws_s3_bucket.files.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm     = var.kms_key_arn == null ? "AES256" : "aws:kms"
      kms_master_key_id = var.kms_key_arn
    }
    # One data key for many objects: a request to KMS for each would cost more than the storage.
    bucket_key_enabled = var.kms_key_arn != null
  }
}

# Off: a file is written once and its name is never used again, so versions would only keep what users deleted. A bucket
# can't go back to «never versioned», so this says it from the first day.
resource "aws_s3_bucket_versioning" "files" {
  bucket = aws_s3_bucket.files.id

  versioning_configuration {
    status = "Disabled"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "files" {
  bucket = aws_s3_bucket.files.id

  rule {
    id     = "stale-uploads"
    status = "Enabled"
    filter {}

    # The service aborts what breaks off and sweeps what a crash left; this is for when it is gone altogether. Parts cost
    # as much as objects and are in no listing.
    abort_incomplete_multipart_upload {
      days_after_initiation = var.stale_upload_days
    }
  }
}

data "aws_iam_policy_document" "tls_only" {
  statement {
    sid       = "TlsOnly"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.files.arn, "${aws_s3_bucket.files.arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }
    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_s3_bucket_policy" "files" {
  bucket = aws_s3_bucket.files.id
  policy = data.aws_iam_policy_document.tls_only.json

  # A policy and the block at the same time are refused as conflicting.
  depends_on = [aws_s3_bucket_public_access_block.files]
}
