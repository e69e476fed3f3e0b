import type { FaultCode, Problem } from "./answers.ts";

/** A fault of a call: the service's own with its code, or `UNREACHABLE` where no answer came. */
export class ApiFault extends Error {
  readonly code: FaultCode | "UNREACHABLE";
  readonly status: number;
  readonly fields: readonly { readonly path: string; readonly message: string }[];
  /** Names the answer; whoever asks the operators quotes it. */
  readonly instance: string | undefined;

  constructor(
    code: ApiFault["code"],
    message: string,
    more: { status?: number; fields?: ApiFault["fields"]; instance?: string | undefined } = {},
  ) {
    super(message);
    this.name = "ApiFault";
    this.code = code;
    this.status = more.status ?? 0;
    this.fields = more.fields ?? [];
    this.instance = more.instance;
  }
}

/** The fault that a body of a refused call tells; a proxy's own page has no code, and is nobody's answer. */
export function faultOf(status: number, body: unknown): ApiFault {
  if (typeof body !== "object" || body === null || !("code" in body))
    return new ApiFault("UNREACHABLE", `HTTP ${status}`, { status });
  const { code, detail, errors, instance } = body as Problem;
  return new ApiFault(code, detail, { status, fields: errors ?? [], instance });
}

/** What was thrown, as a fault: fetch throws a TypeError where nobody answers. */
export function toFault(thrown: unknown): ApiFault {
  if (thrown instanceof ApiFault) return thrown;
  return new ApiFault("UNREACHABLE", thrown instanceof Error ? thrown.message : String(thrown));
}

/** Whether the same call may do better in a moment; a refusal would be the same. */
export function mayPass({ code, status }: ApiFault): boolean {
  return code === "UNREACHABLE" || status === 429 || status === 503;
}
