// node first.mjs ADDRESS IDENTITY PROTOS [FEED [TLS]]: what a front end meets on its first day, one JSON object a line.
// FEED is the address of a process of the feed, "" = none.
import { Desk, Refused, newKey, watch } from "./desk.mjs";

const [address, identity, protos, feed, tls] = process.argv.slice(2);
const desk = new Desk(address, { protos, tls });
const say = (what, found) => console.log(JSON.stringify({ what, ...found }));
const charge = { identity, request_type: "REQUEST_TYPE_CHARGE", service_code: "voice", quantity: 61,
  other_party: "13912345678", channel: "web-hall", request_key: newKey(), explain: true };

const first = (await desk.call("Charge", charge)).charge;
say("charged", { amount: first.amount, currency: first.currency, repeated: first.repeated, steps: first.steps.length });

// The reply was lost, so the same key is sent again: nothing is taken twice.
const again = (await desk.call("Charge", charge)).charge;
say("repeated", { amount: again.amount, repeated: again.repeated });

await refused("other content", "Charge", { ...charge, quantity: 62 });
await refused("nobody", "Charge", { ...charge, identity: "msisdn:8619999999999", request_key: newKey() });
await refused("misspelt", "Charge", { ...charge, quantity: -1, request_key: newKey() });

// A session: ask for a quota, report what was used, end it.
const session_id = newKey();
const step = async (operation, invocation, unit) => {
  const session = { session_id, operation, invocation, units: [{ service_code: "voice", other_party: "13912345678", ...unit }] };
  const request = { identity, request_type: "REQUEST_TYPE_EXECUTE", channel: "web-hall", request_key: newKey(), session };
  return (await desk.call("Execute", request)).session.grants[0];
};
const granted = await step("OPERATION_CREATE", 0, { requested: 120 });
const updated = await step("OPERATION_UPDATE", 1, { requested: 120, used: 61 });
const released = await step("OPERATION_RELEASE", 2, { used: 30 });
say("session", { granted: granted.granted, charged: [updated.charged, released.charged] });

// A network's session: units are rating groups, here two of one service and one that nobody knows.
const pdu = newKey();
const groups = async (operation, invocation, units) => {
  const session = { session_id: pdu, operation, invocation,
    units: units.map(([rating_group, rest]) => ({ unit_key: { rating_group }, ...rest })) };
  const request = { identity, request_type: "REQUEST_TYPE_EXECUTE", channel: "web-hall", request_key: newKey(), session };
  const { grants } = (await desk.call("Execute", request)).session;
  return grants.toSorted((one, other) => one.unit_key.rating_group - other.unit_key.rating_group);
};
const opened = await groups("OPERATION_CREATE", 0,
  [[10, { requested: 1_048_576 }], [20, { request_usual: true }], [77, { requested: 1 }]]);
const closed = await groups("OPERATION_RELEASE", 1, [[10, { used: 524_288 }], [20, { used: 1_048_576 }]]);
say("groups", {
  results: opened.map((grant) => [grant.unit_key.rating_group, grant.service_code, grant.result_code, grant.reason]),
  granted: opened.map((grant) => grant.granted), charged: closed.map((grant) => grant.charged) });

const { balance } = await desk.call("Query", {
  identity, request_type: "REQUEST_TYPE_QUERY", service_code: "balance", channel: "web-hall" });
say("balance", { real: balance.real, reserved: balance.reserved });
desk.close();
if (feed) await watched();

/** What the feed tells of the first charge, and whether it goes on behind it. */
async function watched() {
  const wanted = { from_oldest: true, kinds: ["charged"], events_max: 1 };
  const found = async (request, enough) => {
    for await (const batch of watch(feed, { protos, tls }, request))
      for (const event of batch.events) if (enough(event)) return { event, cursor: batch.cursor };
  };
  try {
    const { event, cursor } = await found(wanted, (one) => one.request_key === charge.request_key);
    const { event: next } = await found({ ...wanted, from_oldest: false, cursor }, (one) => one.identity === event.identity);
    say("watch", { amount: event.amount, kinds: event.facts.map((fact) => fact.kind), next: next.command });
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    say("watch", { code: error.code, reason: error.reason });
  }
}

async function refused(what, method, request) {
  try {
    await desk.call(method, request);
    say(what, { code: "OK" });
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    say(what, { code: error.code, reason: error.reason, fields: error.fields.map((one) => one.field) });
  }
}
