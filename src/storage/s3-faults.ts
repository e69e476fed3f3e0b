import type { S3Settings } from "./s3-settings.ts";
import { StorageFault } from "./storage-fault.ts";

type Explain = (settings: S3Settings, about: { readonly action: string; readonly code: string }) => string;

/** Where requests go, without anything that a URL could hide. */
export function endpointOf({ s3Endpoint, s3Region }: Pick<S3Settings, "s3Endpoint" | "s3Region">): string {
  return s3Endpoint === "" ? `AWS (${s3Region})` : new URL(s3Endpoint).host;
}

const denied: Explain = ({ s3Bucket }, { action }) =>
  `S3__BUCKET: the credentials may not do ${action} in bucket "${s3Bucket}"; docs/operations.md has the rights that are needed`;
const wrongRegion: Explain = ({ s3Bucket, s3Region }) =>
  `S3__REGION: bucket "${s3Bucket}" is not in region "${s3Region}", or S3__ENDPOINT is that of another region`;
const unknownKey: Explain = (settings) => `S3__ACCESS_KEY_ID: ${endpointOf(settings)} does not know this key`;
const expired: Explain = () =>
  "S3__ACCESS_KEY_ID: the credentials are expired or not valid any more; renew them, or leave it empty for those of AWS' usual chain";
const unreachable: Explain = (settings, { code }) => `S3__ENDPOINT: ${endpointOf(settings)} can't be reached (${code})`;
const silent: Explain = (settings) =>
  `S3__ENDPOINT: ${endpointOf(settings)} did not answer within S3__TIMEOUT_SECONDS or S3__TIME_BUDGET_SECONDS`;

/** Codes of S3's manual («Error responses»), of the SDK and of Node's sockets. */
const explanations: Readonly<Record<string, Explain>> = {
  NoSuchBucket: (settings) => `S3__BUCKET: there is no bucket "${settings.s3Bucket}" at ${endpointOf(settings)}`,
  InvalidBucketName: ({ s3Bucket }) => `S3__BUCKET: "${s3Bucket}" is no name of a bucket`,
  AccessDenied: denied,
  AllAccessDisabled: denied,
  Forbidden: denied,
  PermanentRedirect: wrongRegion,
  TemporaryRedirect: wrongRegion,
  MovedPermanently: wrongRegion,
  AuthorizationHeaderMalformed: wrongRegion,
  IllegalLocationConstraintException: wrongRegion,
  RequestTimeTooSkewed: (settings) =>
    `The clock of this machine and that of ${endpointOf(settings)} (S3__ENDPOINT) are more than 15 minutes apart: set it, by NTP for instance`,
  InvalidAccessKeyId: unknownKey,
  XAdminUserNotFound: unknownKey, // as versitygw says it
  SignatureDoesNotMatch: () =>
    "S3__SECRET_ACCESS_KEY: it does not belong to S3__ACCESS_KEY_ID, or a proxy in between changes requests",
  ExpiredToken: expired,
  ExpiredTokenException: expired,
  InvalidToken: expired,
  TokenRefreshRequired: expired,
  CredentialsProviderError: () =>
    "S3__ACCESS_KEY_ID is empty, and AWS' usual chain (environment, profile, role of the machine or pod) has no credentials either",
  InvalidArgument: (_settings, { action }) =>
    `S3__SERVER_SIDE_ENCRYPTION, S3__KMS_KEY_ID, S3__CHECKSUM: the storage does not take one of them (${action})`,
  "KMS.NotFoundException": () => "S3__KMS_KEY_ID: there is no such key",
  "KMS.DisabledException": () => "S3__KMS_KEY_ID: the key is switched off",
  AbortError: silent,
  TimeoutError: silent,
  ECONNREFUSED: unreachable,
  ECONNRESET: unreachable,
  EPIPE: unreachable,
  ENOTFOUND: unreachable,
  EAI_AGAIN: unreachable,
  EHOSTUNREACH: unreachable,
  ENETUNREACH: unreachable,
  ETIMEDOUT: unreachable,
  ERR_TLS_CERT_ALTNAME_INVALID: unreachable,
  DEPTH_ZERO_SELF_SIGNED_CERT: unreachable,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unreachable,
  CERT_HAS_EXPIRED: unreachable,
};

/** An answer to a HEAD has no body, and so no code. */
const byStatus: Readonly<Record<number, string>> = { 301: "PermanentRedirect", 403: "AccessDenied" };

const text = (value: unknown): string =>
  typeof value === "string" && /^[A-Za-z][\w.]{0,80}$/.test(value) ? value : "";

function statusOf(error: object): number {
  const metadata = "$metadata" in error ? error.$metadata : undefined;
  return Number((metadata as { httpStatusCode?: unknown } | undefined)?.httpStatusCode ?? 0);
}

/** What the storage calls a fault: a code of S3, of the SDK or of the socket; the message is nobody's interface. */
export function s3CodeOf(error: unknown): string {
  if (error instanceof StorageFault) return error.reason;
  if (!(error instanceof Error)) return "unknown";
  const candidates = [text(error.name), "code" in error ? text(error.code) : "", byStatus[statusOf(error)] ?? ""];
  const known = candidates.find((code) => Object.hasOwn(explanations, code));
  return known ?? candidates.find((code) => code !== "" && code !== "Error") ?? "unknown";
}

/** True when the object, not the bucket, is what is not there. */
export function isObjectMissing(error: unknown): boolean {
  return error instanceof Error && (error.name === "NoSuchKey" || error.name === "NotFound");
}

/** One line that names the setting, whatever the SDK threw. */
export function explainS3Fault(error: unknown, settings: S3Settings, action: string): StorageFault {
  if (error instanceof StorageFault) return error;
  const code = s3CodeOf(error);
  const explain = Object.hasOwn(explanations, code) ? explanations[code] : undefined;
  const status = typeof error === "object" && error !== null ? statusOf(error) : 0;
  const line =
    explain?.(settings, { action, code }) ??
    `S3__ENDPOINT: ${endpointOf(settings)} answered ${action} with ${code}${status === 0 ? "" : ` (${status})`}`;
  return new StorageFault(line, code);
}
