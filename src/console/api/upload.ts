import type { UploadedDataset } from "./answers.ts";
import { currentKey, keyHeaders, keyWasRefused } from "./api-key.ts";
import { ApiFault, faultOf } from "./fault.ts";
import { createEventReader } from "./read-events.ts";
import { apiAddress } from "./root-address.ts";

/** How far an upload is: bytes on their way, then the service's look at them. */
export type UploadProgress =
  | { readonly step: "sending"; readonly sentBytes: number; readonly totalBytes: number }
  | { readonly step: "checking"; readonly phase: string; readonly percentage: number | undefined };

/** What an upload may be told of, and stopped by. */
export interface UploadOptions {
  readonly onProgress: (progress: UploadProgress) => void;
  readonly signal: AbortSignal;
}

/**
 * Sends a file, by XMLHttpRequest: fetch says nothing of how much is sent. The answer comes by events, the last of which has
 * what the call would have answered.
 * @throws ApiFault; an AbortError where `signal` stopped it
 */
export function uploadDataset(file: File, { onProgress, signal }: UploadOptions): Promise<UploadedDataset> {
  const request = new XMLHttpRequest();
  const key = currentKey();
  const readEvents = createEventReader();
  let readTo = 0;
  let answer: { status: number; body: unknown } | undefined;

  function readOn(): void {
    if (request.status !== 202) return;
    const events = readEvents(request.responseText.slice(readTo));
    readTo = request.responseText.length;
    for (const { event, data } of events) {
      if (event === "answer") answer = JSON.parse(data);
      else {
        const { phase, percentage } = JSON.parse(data) as { phase: string; percentage?: number };
        onProgress({ step: "checking", phase, percentage });
      }
    }
  }

  return new Promise((resolve, reject) => {
    request.upload.onprogress = ({ loaded, total }) =>
      onProgress({ step: "sending", sentBytes: loaded, totalBytes: total });
    request.onprogress = readOn;
    request.onload = () => {
      readOn();
      if (request.status === 401) keyWasRefused(key);
      const { status, body } = answer ?? { status: request.status, body: parsed(request.responseText) };
      if (status >= 200 && status < 300 && answer !== undefined) resolve(body as UploadedDataset);
      else reject(faultOf(status, body));
    };
    request.onerror = () => reject(new ApiFault("UNREACHABLE", "The connection broke off."));
    request.onabort = () => reject(new DOMException("The upload was stopped.", "AbortError"));
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.open("POST", apiAddress("/datasets/upload"));
    request.setRequestHeader("Accept", "text/event-stream");
    for (const [name, value] of Object.entries(keyHeaders(key))) request.setRequestHeader(name, value);
    const form = new FormData();
    form.append("file", file);
    request.send(form);
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A proxy's own page: faultOf tells its status.
    return undefined;
  }
}
