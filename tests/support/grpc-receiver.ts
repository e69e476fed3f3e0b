import { type MethodDefinition, Server, ServerCredentials, type ServerUnaryCall } from "@grpc/grpc-js";
import type { ReceivedMetric } from "./otlp-metrics.ts";
import { inProtobuf, type ReceivedLog, type ReceivedSpan } from "./otlp-receiver.ts";

const asItIs = (bytes: Buffer): Buffer => bytes;
/** The call that takes exports of a signal; an empty message is its answer: all was taken. */
const exportOf = (signal: string): MethodDefinition<Buffer, Buffer> => ({
  path: `/opentelemetry.proto.collector.${signal.toLowerCase()}.v1.${signal}Service/Export`,
  requestStream: false,
  responseStream: false,
  requestSerialize: asItIs,
  requestDeserialize: asItIs,
  responseSerialize: asItIs,
  responseDeserialize: asItIs,
});

/** Takes OTLP traces, logs and metrics by gRPC, with certificates on both sides, and keeps what came. */
export class GrpcReceiver {
  readonly spans: ReceivedSpan[] = [];
  readonly logs: ReceivedLog[] = [];
  readonly metrics: ReceivedMetric[] = [];
  /** Metadata of the exports, by signal. */
  readonly metadata = new Map<string, Record<string, unknown>>();
  readonly #server = new Server();
  #port = 0;

  static async start(tls: { ca: Buffer; key: Buffer; cert: Buffer }): Promise<GrpcReceiver> {
    const receiver = new GrpcReceiver();
    receiver.#take("Trace", (body) => receiver.spans.push(...inProtobuf.spans(body)));
    receiver.#take("Logs", (body) => receiver.logs.push(...inProtobuf.logs(body)));
    receiver.#take("Metrics", (body) => receiver.metrics.push(...inProtobuf.metrics(body)));
    const credentials = ServerCredentials.createSsl(tls.ca, [{ private_key: tls.key, cert_chain: tls.cert }], true);
    receiver.#port = await new Promise<number>((resolve, reject) => {
      receiver.#server.bindAsync("127.0.0.1:0", credentials, (error, port) => (error ? reject(error) : resolve(port)));
    });
    return receiver;
  }

  #take(signal: string, keep: (body: Buffer) => void): void {
    this.#server.addService(
      { Export: exportOf(signal) },
      {
        Export: (call: ServerUnaryCall<Buffer, Buffer>, done: (error: null, answer: Buffer) => void) => {
          this.metadata.set(signal, call.metadata.getMap());
          keep(call.request);
          done(null, Buffer.alloc(0));
        },
      },
    );
  }

  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  get url(): string {
    return `https://127.0.0.1:${this.#port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.forceShutdown();
  }
}
