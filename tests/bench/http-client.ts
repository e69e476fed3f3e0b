import { Agent, request } from "node:http";

const agent = new Agent({ keepAlive: true, maxSockets: 64 });

/** One request by node:http: `fetch` would take more CPU than the server that is measured. */
export function send(
  method: string,
  url: string,
  body?: Buffer | string,
  headers: Record<string, string> = {},
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
    const outgoing = request(url, { method, agent, headers: { ...headers, ...length } }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }),
      );
      response.on("error", reject);
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

/** JSON of an answer that must have that status. */
export async function expectJson(status: number, ...call: Parameters<typeof send>): Promise<Record<string, unknown>> {
  const answer = await send(...call);
  if (answer.status !== status)
    throw new Error(`${call[0]} ${call[1]}: ${answer.status} instead of ${status}: ${answer.text}`);
  return JSON.parse(answer.text) as Record<string, unknown>;
}

/** Sends a form with a CSV, and a name where one is given, and expects 201. */
export async function upload(url: string, csv: Buffer, name?: string): Promise<Record<string, unknown>> {
  const boundary = "mlops-backend-bench";
  const field =
    name === undefined ? "" : `--${boundary}\r\ncontent-disposition: form-data; name="name"\r\n\r\n${name}\r\n`;
  const head = `${field}--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="bench.csv"\r\ncontent-type: text/csv\r\n\r\n`;
  const body = Buffer.concat([Buffer.from(head), csv, Buffer.from(`\r\n--${boundary}--\r\n`)]);
  return expectJson(201, "POST", url, body, { "content-type": `multipart/form-data; boundary=${boundary}` });
}
