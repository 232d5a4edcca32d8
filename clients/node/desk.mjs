// The front end's contract as promises, from the .proto files alone: `onetier protos FOLDER` writes them.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { randomUUID } from "node:crypto";
import grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

const DEADLINE_MS = 5_000;
const SERVER = "appserver.onetier.internal"; // what the certificate of every app server says, whatever its address
const FILES = ["onetier/v1/service_desk.proto", "onetier/v1/watch.proto", "google/rpc/error_details.proto"];
const FEED_SERVER = "watch.onetier.internal"; // the same of every process of the feed
const AGAIN_MS = 200;

/** A refusal. `reason` is for programs, `fields` say what was wrong where, `retryMs` when to send the same key again. */
export class Refused extends Error {
  constructor(error, details) {
    super(error.details);
    this.code = grpc.status[error.code];
    const info = details["google.rpc.ErrorInfo"];
    this.reason = info?.reason ?? "";
    this.facts = info?.metadata ?? {};
    this.fields = details["google.rpc.BadRequest"]?.field_violations ?? [];
    const wait = details["google.rpc.RetryInfo"]?.retry_delay;
    this.retryMs = wait ? Number(wait.seconds) * 1_000 + wait.nanos / 1_000_000 : undefined;
  }
}

/** The messages of the contracts, read from the folder that `onetier protos` wrote. */
const typesOf = (protos) =>
  loadSync(FILES, { includeDirs: [protos], keepCase: true, longs: String, enums: String, oneofs: true, defaults: true });

/** The rich error of a failed call: the message of each detail by its type's name. */
function detailsOf(types, error) {
  const [packed] = error.metadata?.get("grpc-status-details-bin") ?? [];
  if (!packed) return {};
  const told = {};
  for (const { type_url, value } of types["google.rpc.Status"].deserialize(packed).details ?? []) {
    const name = type_url.slice(type_url.lastIndexOf("/") + 1);
    if (types[name]) told[name] = types[name].deserialize(value);
  }
  return told;
}

export class Desk {
  /**
   * @param {string} address host:port of an app server
   * @param {{protos: string, tls?: string}} options `protos`: the folder that `onetier protos` wrote; `tls`: a folder
   *   with ca.pem, frontend.pem and frontend.key, none = a server on this machine without TLS
   */
  constructor(address, { protos, tls }) {
    this.types = typesOf(protos);
    const Service = grpc.loadPackageDefinition(this.types).onetier.v1.ServiceDeskService;
    const named = tls ? { "grpc.ssl_target_name_override": SERVER } : {};
    this.stub = new Service(address, tls ? certificates(tls) : grpc.credentials.createInsecure(), named);
  }

  /** Send a request (`onetier.v1.ServiceRequest`) by a unary method: Charge, Quote, Query or Execute. */
  call(method, request) {
    const deadline = new Date(Date.now() + DEADLINE_MS);
    return new Promise((resolve, reject) => {
      this.stub[method]({ request }, { deadline }, (error, reply) =>
        error ? reject(new Refused(error, detailsOf(this.types, error))) : resolve(reply));
    });
  }

  close() {
    this.stub.close();
  }
}

/**
 * Batches of what happens to accounts (`onetier.v1.WatchResponse`) for ever, from the cursor of the request on. When the
 * stream breaks it goes on at the cursor of the last batch that was taken; nothing is left out. Leave the loop to end it.
 */
export async function* watch(address, { protos, tls }, request) {
  const types = typesOf(protos);
  const Service = grpc.loadPackageDefinition(types).onetier.v1.WatchService;
  const named = tls ? { "grpc.ssl_target_name_override": FEED_SERVER } : {};
  const stub = new Service(address, tls ? certificates(tls) : grpc.credentials.createInsecure(), named);
  let at = request;
  try {
    for (;;) {
      const stream = stub.Watch(at);
      try {
        for await (const batch of stream) {
          yield batch;
          at = { ...request, cursor: batch.cursor, from_oldest: false };
        }
      } catch (error) {
        if (error.code !== grpc.status.UNAVAILABLE) throw new Refused(error, detailsOf(types, error));
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      } finally {
        stream.cancel();
      }
    }
  } finally {
    stub.close();
  }
}

/** A key for one intent: keep it, and send it again for as long as you don't know what it did. */
export const newKey = () => randomUUID();

function certificates(folder) {
  const read = (name) => readFileSync(join(folder, name));
  return grpc.credentials.createSsl(read("ca.pem"), read("frontend.key"), read("frontend.pem"));
}
