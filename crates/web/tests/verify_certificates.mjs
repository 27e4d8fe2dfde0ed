// `node verify_certificates.mjs [FREEZE HASH] < CERTIFICATES`: one certificate in each line of the input; prints for each
// what the page's own verifier recomputes, in the form of `verify_draw.py --json`, so that programs can be compared.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { runInThisContext } from "node:vm";

// The very files that are served.
for (const file of ["../vendor/sm3.min.js", "../assets/certificate.js"]) {
  runInThisContext(readFileSync(new URL(file, import.meta.url), "utf8"), { filename: file });
}

const [freezeHash] = process.argv.slice(2);
for await (const line of createInterface({ input: process.stdin })) {
  const { ok, recomputed, steps } = globalThis.verifyCertificate(line, { freezeHash });
  let draw = null;
  try {
    ({ draw } = JSON.parse(line));
  } catch {
    // The verifier has said so already.
  }
  console.log(JSON.stringify({ draw, ok, ...recomputed, faults: steps.filter((step) => !step.ok).map((step) => step.detail) }));
}
