import type { Config } from "../settings/config.ts";

/** The settings of S3, all beginning with S3__. */
export type S3Settings = Pick<Config, Extract<keyof Config, `s3${string}`>>;
