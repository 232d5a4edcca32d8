// node first.mjs ADDRESS IDENTITY PROTOS [TLS]: what a front end meets on its first day, one JSON object a line.
import { Desk, Refused, newKey } from "./desk.mjs";

const [address, identity, protos, tls] = process.argv.slice(2);
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

const { balance } = await desk.call("Query", {
  identity, request_type: "REQUEST_TYPE_QUERY", service_code: "balance", channel: "web-hall" });
say("balance", { real: balance.real, reserved: balance.reserved });
desk.close();

async function refused(what, method, request) {
  try {
    await desk.call(method, request);
    say(what, { code: "OK" });
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    say(what, { code: error.code, reason: error.reason, fields: error.fields.map((one) => one.field) });
  }
}
