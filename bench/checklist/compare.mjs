// Reads the same bodies with remark-gfm and prints a table of both. `run` calls it.
//
//   node compare.mjs DIRECTORY     the table, for the bodies and times that bench-checklist wrote there
//   node compare.mjs --one FILE    the milliseconds that one body takes, the quickest of up to five readings

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import remarkGfm from "remark-gfm";
import remarkParse from "remark-parse";
import { unified } from "unified";

const LONGEST_SECONDS = 20;

function quickest(body) {
  const reader = unified().use(remarkParse).use(remarkGfm).freeze();
  let quickest = Infinity;
  const begun = performance.now();
  for (let reading = 0; reading < 5 && performance.now() - begun < 3000; reading += 1) {
    const start = performance.now();
    reader.parse(body);
    quickest = Math.min(quickest, performance.now() - start);
  }
  return quickest;
}

// In a process of its own: some bodies take minutes, or all the memory there is.
function remark(file) {
  try {
    const options = { timeout: LONGEST_SECONDS * 1000, stdio: ["ignore", "pipe", "ignore"] };
    return Number(execFileSync(process.execPath, [fileURLToPath(import.meta.url), "--one", file], options));
  } catch (error) {
    if (error.code === "ETIMEDOUT") return `over ${LONGEST_SECONDS} s`;
    return "fails";
  }
}

function table(directory) {
  const rows = JSON.parse(readFileSync(join(directory, "times.json"), "utf8"));
  console.log("| Body | Wardroom, ms | remark-gfm, ms | Ratio |");
  console.log("|---|--:|--:|--:|");
  let slowest = 0;
  for (const { name, file, milliseconds } of rows) {
    const other = remark(join(directory, file));
    const known = typeof other === "number";
    const ratio = known ? `${Math.round(other / milliseconds)}` : "";
    slowest = Math.max(slowest, milliseconds);
    console.log(`| ${name} | ${milliseconds.toFixed(1)} | ${known ? other.toFixed(0) : other} | ${ratio} |`);
  }
  console.log(`\nThe slowest body takes Wardroom ${slowest.toFixed(1)} ms.`);
}

const [first, second] = process.argv.slice(2);
if (first === "--one") console.log(quickest(readFileSync(second, "utf8")));
else table(first);
