// `node templates.js FILE…`: elements and attributes of the templates that the oldest browser does not have, and
// what the content security policy refuses. Prints one line for each fault.
import { readFileSync } from "node:fs";
import { newerInTag } from "./newer.js";

const TAG = /<([a-z][a-z0-9-]*)((?:"[^"]*"|'[^']*'|[^"'>])*)>/gi;
const ATTRIBUTE = /([a-z_][\w:.-]*)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?/gi;
/** What askama puts in, and comments; blanks of the same length keep the lines. */
const NOT_HTML = /\{%[^]*?%\}|\{\{[^]*?\}\}|\{#[^]*?#\}|<!--[^]*?-->/g;

let faults = 0;
for (const file of process.argv.slice(2)) {
  const text = readFileSync(file, "utf8").replace(NOT_HTML, (part) => part.replace(/[^\n]/g, " "));
  for (const tag of text.matchAll(TAG)) {
    const attributes = [...tag[2].matchAll(ATTRIBUTE)].map(([, name, ...values]) => ({
      name: name.toLowerCase(),
      value: values.find((value) => value !== undefined),
    }));
    const line = text.slice(0, tag.index).split("\n").length;
    for (const fault of [...newerInTag(tag[1].toLowerCase(), attributes), ...refused(tag[1].toLowerCase(), attributes)]) {
      console.log(`${file}:${line}: ${fault}`);
      faults += 1;
    }
  }
}
process.exitCode = faults > 0 ? 1 : 0;

function refused(tag, attributes) {
  const has = (name) => attributes.some((attribute) => attribute.name === name);
  const faults = attributes
    .filter(({ name }) => name === "style" || /^on[a-z]+$/.test(name) || name.startsWith("hx-on"))
    .map(({ name }) => `属性 ${name} 会被内容安全策略拦下：样式写进 xinheng.css，脚本写进 xinheng.js`);
  if (tag === "style" || (tag === "script" && !has("src"))) {
    faults.push(`<${tag}> 不能写在页面里：会被内容安全策略拦下`);
  }
  const foreign = attributes.find(({ name, value }) => ["src", "srcset"].includes(name) && /^(https?:)?\/\//.test(value ?? ""));
  if (foreign || (tag === "link" && attributes.some(({ name, value }) => name === "href" && /^(https?:)?\/\//.test(value ?? "")))) {
    faults.push("从别的网站取文件：一切文件都由本系统提供");
  }
  return faults;
}
