// Verifies signatures as GitHub's own client library does. Reads a JSON list of deliveries from standard input,
//   [{ "secret": "…", "payload": "the body as it was sent", "signature": "sha256=…" }]
// and prints a JSON list: whether each signature is right.

import { readFileSync } from "node:fs";
import { verify } from "@octokit/webhooks-methods";

const deliveries = JSON.parse(readFileSync(0, "utf8"));
const checks = deliveries.map(({ secret, payload, signature }) => verify(secret, payload, signature));
console.log(JSON.stringify(await Promise.all(checks)));
